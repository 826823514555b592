// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * Adam (arXiv 1412.6980) as {@code torch.optim.Adam} computes it: in the fused kernel where
 * LibTorch has one, or operator by operator ({@link #reference}). Each step takes its learning
 * rate, so that schedules live with their loop. A parameter without a gradient is passed over and
 * has no state until it first has one.
 *
 * <p>It owns its running means and frees them when closed; parameters stay their modules'. One
 * thread uses it at a time.
 */
public final class Adam implements Optimizer {
  private final List<Parameter> parameters;
  private final AdamOptions options;
  private final AdamKernel kernel;
  private final @Nullable State[] states;

  /**
   * What is remembered of one parameter.
   *
   * @param step how many steps it has had
   * @param expAvg the running mean of its gradients, of its shape and type
   * @param expAvgSq the running mean of their squares
   */
  public record State(long step, Tensor expAvg, Tensor expAvgSq) {
    /** Refuses null. */
    public State {
      TorchException.requireNonNull(expAvg, "expAvg");
      TorchException.requireNonNull(expAvgSq, "expAvgSq");
    }
  }

  /**
   * An optimizer of parameters that have their values already.
   *
   * @param parameters in the order in which {@link #state} numbers them; all of one floating type,
   *     on one device
   */
  public Adam(List<Parameter> parameters, AdamOptions options) {
    this(parameters, options, kernelFor(parameters));
  }

  /**
   * An optimizer that computes as {@code torch.optim.Adam} does where nothing is said of {@code
   * foreach} and {@code fused}: operator by operator, with the same bits on the same LibTorch. The
   * fused kernel rounds otherwise.
   *
   * @param parameters in the order in which {@link #state} numbers them; all of one floating type,
   *     on one device
   */
  public static Adam reference(List<Parameter> parameters, AdamOptions options) {
    Trained.requireAlike("Adam", parameters);
    return new Adam(parameters, options, AdamKernel.OPERATORS);
  }

  Adam(List<Parameter> parameters, AdamOptions options, AdamKernel kernel) {
    this.parameters = List.copyOf(parameters);
    this.options = TorchException.requireNonNull(options, "options");
    this.kernel = kernel;
    this.states = new State[parameters.size()];
  }

  private static AdamKernel kernelFor(List<Parameter> parameters) {
    Tensor first = Trained.requireAlike("Adam", parameters);
    return AdamKernel.best(first.dtype(), first.device());
  }

  @Override
  public void step(double learningRate) {
    step(learningRate, 0);
  }

  /** As {@link AdamW} makes a step: takes {@code learningRate * weightDecay} away first. */
  void step(double learningRate, double weightDecay) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      AdamKernel.Lists lists = AdamKernel.Lists.empty();
      @Nullable State[] next = states.clone();
      for (int i = 0; i < next.length; i++) {
        Tensor value = parameters.get(i).value();
        Tensor grad = value.grad();
        if (grad != null) {
          State state = advanced(states[i], value);
          lists.parameters().add(value);
          lists.gradients().add(Trained.inOrderOf(value, grad));
          lists.expAvgs().add(state.expAvg());
          lists.expAvgSqs().add(state.expAvgSq());
          lists.steps().add(state.step());
          next[i] = state;
        }
      }
      if (!lists.parameters().isEmpty()) {
        kernel.step(lists, learningRate, 1 - learningRate * weightDecay, options);
      }
      adopt(next);
    }
  }

  /** A state with this step counted; the first step makes its tensors, the current scope's. */
  private static State advanced(@Nullable State before, Tensor value) {
    return before == null
        ? new State(1, Torch.zerosLike(value), Torch.zerosLike(value))
        : new State(before.step() + 1, before.expAvg(), before.expAvgSq());
  }

  /** From now on these are the states; their tensors belong to this optimizer. */
  private void adopt(@Nullable State[] next) {
    for (int i = 0; i < next.length; i++) {
      State state = next[i];
      if (state != null) {
        state.expAvg().release();
        state.expAvgSq().release();
      }
      states[i] = state;
    }
  }

  @Override
  public void clearGradients() {
    Trained.clearGradients(parameters);
  }

  /**
   * What is remembered, by the parameters' numbers from 0 on; those that never had a gradient are
   * absent. The tensors stay this optimizer's, and the next step changes them.
   */
  public SortedMap<Integer, State> state() {
    SortedMap<Integer, State> all = new TreeMap<>();
    for (int i = 0; i < states.length; i++) {
      State state = states[i];
      if (state != null) {
        all.put(i, state);
      }
    }
    return all;
  }

  /**
   * Goes on from what {@link #state()} gave: copies it, and forgets what there was. Changes nothing
   * when it throws.
   *
   * @throws TorchException when a number or a shape does not fit the parameters
   */
  public void load(Map<Integer, State> saved) {
    TorchException.requireNonNull(saved, "saved");
    saved.forEach((i, state) ->
        check(
            TorchException.requireNonNull(i, "a number of saved"),
            TorchException.requireNonNull(state, "a state of saved")));
    @Nullable State[] loaded = new State[states.length];
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      saved.forEach((i, state) -> {
        Tensor value = parameters.get(i).value();
        loaded[i] =
            new State(
                state.step(),
                Torch.zerosLike(value).copyFrom(state.expAvg()),
                Torch.zerosLike(value).copyFrom(state.expAvgSq()));
      });
      close();
      adopt(loaded);
    }
  }

  private void check(int i, State state) {
    if (i < 0 || i >= states.length) {
      throw new TorchException(
          "Adam's state is of a parameter %s, but there are %s".formatted(i, states.length));
    }
    Parameter p = parameters.get(i);
    for (Tensor t : List.of(state.expAvg(), state.expAvgSq())) {
      if (!Arrays.equals(t.shape(), p.shape())) {
        throw new TorchException(
            "Adam's state of parameter %s (%s) is %s, but the parameter is %s"
                .formatted(i, p.name(), t.describe(), p.value().describe()));
      }
    }
    if (state.step() < 0) {
      throw new TorchException(
          "Adam's state of parameter %s (%s) has %s steps".formatted(i, p.name(), state.step()));
    }
  }

  @Override
  public void close() {
    for (int i = 0; i < states.length; i++) {
      State state = states[i];
      states[i] = null;
      if (state != null) {
        state.expAvg().close();
        state.expAvgSq().close();
      }
    }
  }
}
