// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import org.relaydiffusion.model.Settings;

/**
 * What a raw network is.
 *
 * @param architecture its kind
 * @param resolution width and height of the images
 * @param inChannels channels of the input
 * @param outChannels channels of the output
 * @param labelDim classes; 0 for none
 * @param augmentDim augmentation labels; 0 for none
 * @param settings the architecture's own
 */
public record NetworkConfig(
    Architecture architecture,
    int resolution,
    int inChannels,
    int outChannels,
    int labelDim,
    int augmentDim,
    Settings settings) {}
