// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * Adam with decoupled weight decay (arXiv 1711.05101) as {@code torch.optim.AdamW} computes it:
 * each step first takes {@code learningRate * weightDecay} of every parameter away, then is {@link
 * Adam}'s.
 */
public final class AdamW implements Optimizer {
  private final double weightDecay;
  private final Adam adam;

  /**
   * An optimizer of parameters that have their values already; its Adam is LibTorch's fused kernel
   * where there is one.
   *
   * @param parameters in the order in which {@link #state} numbers them; all of one floating type,
   *     on one device
   */
  public AdamW(List<Parameter> parameters, AdamWOptions options) {
    this(options, new Adam(parameters, adamOf(options)));
  }

  /**
   * An optimizer that computes as {@code torch.optim.AdamW} does where nothing is said of {@code
   * foreach} and {@code fused}: operator by operator, with the same bits on the same LibTorch.
   *
   * @param parameters as above
   */
  public static AdamW reference(List<Parameter> parameters, AdamWOptions options) {
    return new AdamW(options, Adam.reference(parameters, adamOf(options)));
  }

  private static AdamOptions adamOf(AdamWOptions options) {
    return TorchException.requireNonNull(options, "options").adam();
  }

  private AdamW(AdamWOptions options, Adam adam) {
    this.weightDecay = options.weightDecay();
    this.adam = adam;
  }

  @Override
  public void step(double learningRate) {
    adam.step(learningRate, weightDecay);
  }

  @Override
  public void clearGradients() {
    adam.clearGradients();
  }

  /** As {@link Adam#state}. */
  public SortedMap<Integer, Adam.State> state() {
    return adam.state();
  }

  /** As {@link Adam#load}. */
  public void load(Map<Integer, Adam.State> saved) {
    adam.load(saved);
  }

  @Override
  public void close() {
    adam.close();
  }
}
