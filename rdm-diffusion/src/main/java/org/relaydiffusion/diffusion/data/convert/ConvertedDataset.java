package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;

/**
 * What a conversion has written.
 *
 * @param target the folder or zip
 * @param images how many pictures are in it
 * @param skipped how many of the source were left out because they are too small for the crop
 * @param resolution width and height of each, in pixels
 * @param channels 1 (grey) or 3 (RGB)
 * @param labelled how many pictures of the source have a label; labels are written when all have
 * @param classes the largest label + 1, or 0 where no labels are written
 */
public record ConvertedDataset(
    Path target,
    int images,
    int skipped,
    int resolution,
    int channels,
    int labelled,
    int classes) {}
