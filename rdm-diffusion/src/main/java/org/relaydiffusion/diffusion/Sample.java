// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.OptionalInt;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * A finished image.
 *
 * @param seed its seed
 * @param label its class; empty if no network is conditional
 * @param pixels the pixel values, after the post-processing of the request
 */
public record Sample(long seed, OptionalInt label, Pixels pixels) {}
