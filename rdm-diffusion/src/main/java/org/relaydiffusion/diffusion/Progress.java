// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

/**
 * The progress of a run after a step of a sampler.
 *
 * @param stage the stage of the step
 * @param step number of finished steps of this stage for this batch, from 1
 * @param steps number of steps of this stage
 * @param batch the current batch, from 0
 * @param batches number of batches of this process
 * @param imagesDone number of images finished before this batch
 * @param images number of images of this process
 */
public record Progress(
    Stage stage, int step, int steps, int batch, int batches, long imagesDone, long images) {}
