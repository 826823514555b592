package org.relaydiffusion.diffusion;

/**
 * Where a run stands, after a step of a sampler.
 *
 * @param stage which diffusion the step belongs to
 * @param step how many steps of this stage are done for this batch, from 1
 * @param steps how many steps this stage has
 * @param batch the batch in work, from 0
 * @param batches how many batches this process makes
 * @param imagesDone how many pictures were finished before this batch
 * @param images how many pictures this process makes
 */
public record Progress(
    Stage stage, int step, int steps, int batch, int batches, long imagesDone, long images) {}
