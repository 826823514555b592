// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import org.relaydiffusion.diffusion.data.LeftOut;

/**
 * The result of a conversion.
 *
 * @param target the folder or zip
 * @param images number of images in it
 * @param skipped number of source images skipped because they are too small for the crop
 * @param bad number of source images that cannot be read or differ from the others
 * @param leftOut files of the source that were not taken for an image
 * @param resolution width and height of each image, in pixels
 * @param channels 1 (grayscale) or 3 (RGB)
 * @param labelled number of images with a label; labels are written if all have one
 * @param labelDim the largest class + 1, or the length of vectors; 0 if no labels are written
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
