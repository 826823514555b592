package org.relaydiffusion.diffusion;

import java.util.OptionalInt;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * One finished picture.
 *
 * @param seed the seed it was made from
 * @param label its class; absent where no network knows classes
 * @param pixels the picture, enhanced if the request says so
 */
public record Sample(long seed, OptionalInt label, Pixels pixels) {}
