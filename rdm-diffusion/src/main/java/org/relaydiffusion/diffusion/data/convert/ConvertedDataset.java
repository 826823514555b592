package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import org.relaydiffusion.diffusion.data.LeftOut;

/**
 * What a conversion has written, or would have.
 *
 * @param target the folder or zip
 * @param images how many pictures are in it
 * @param skipped how many of the source were left out because they are too small for the crop
 * @param bad how many of the source cannot be read or are unlike the others
 * @param leftOut what of the source was not taken for a picture
 * @param resolution width and height of each, in pixels
 * @param channels 1 (grey) or 3 (RGB)
 * @param labelled how many pictures have a label; labels are written when all have
 * @param labelDim the largest class + 1, or the length of vectors; 0 where no labels are written
 */
public record ConvertedDataset(
    Path target,
    int images,
    int skipped,
    int bad,
    LeftOut leftOut,
    int resolution,
    int channels,
    int labelled,
    int labelDim) {}
