// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.model.safetensors.TensorSource;

/**
 * The state of Adam, to be written like {@code torch.optim.Adam.state_dict()}.
 *
 * @param parameters the moments of each parameter that has been updated, by the index of the
 *     parameter in {@code net.parameters()}; a parameter that never had a gradient is not included
 * @param groups the settings of each group, as plain values under PyTorch's names
 */
public record OptimizerContents(
    Map<Long, Moments> parameters, List<Map<String, @Nullable Object>> groups) {
  private static final String BETAS = "betas";

  /** Copies the state, keeping its order. */
  public OptimizerContents {
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    groups = List.copyOf(groups);
  }

  /**
   * The state of one parameter.
   *
   * @param step number of updates
   * @param expAvg the running mean of the gradient, with the shape of the parameter
   * @param expAvgSq the running mean of the squared gradient, with the shape of the parameter
   */
  public record Moments(long step, TensorSource expAvg, TensorSource expAvgSq) {}

  /**
   * The constants of Adam.
   *
   * @param learningRate of the last step
   * @param beta1 decay of the running mean of the gradient
   * @param beta2 decay of the running mean of the squared gradient
   * @param epsilon in the denominator
   */
  public record Settings(double learningRate, double beta1, double beta2, double epsilon) {}

  /**
   * Returns the state of Adam for one group of parameters, with PyTorch's other settings at their
   * defaults.
   *
   * @param count the number of parameters, including those without moments
   */
  public static OptimizerContents adam(
      Settings settings, int count, Map<Long, Moments> parameters) {
    Map<String, @Nullable Object> group = new LinkedHashMap<>();
    group.put("lr", settings.learningRate);
    group.put(BETAS, List.of(settings.beta1, settings.beta2));
    group.put("eps", settings.epsilon);
    group.put("weight_decay", 0L);
    group.put("amsgrad", false);
    group.put("maximize", false);
    group.put("foreach", null);
    group.put("capturable", false);
    group.put("differentiable", false);
    group.put("fused", null);
    group.put("decoupled_weight_decay", false);
    group.put("params", LongStream.range(0, count).boxed().toList());
    return new OptimizerContents(parameters, List.of(group));
  }

  /**
   * Returns the state in another checkpoint, which must stay open until this is written.
   *
   * @throws RdmException if it is not that of Adam
   */
  public static OptimizerContents of(OptimizerRecord optimizer) {
    Map<Long, Moments> parameters = new LinkedHashMap<>();
    optimizer
        .parameters()
        .forEach((number, state) -> parameters.put(number, moments(number, state)));
    return new OptimizerContents(parameters, optimizer.groups());
  }

  private static Moments moments(long number, OptimizerRecord.ParameterState state) {
    StoredTensor mean = state.tensors().get("exp_avg");
    StoredTensor square = state.tensors().get("exp_avg_sq");
    if (mean == null || square == null) {
      throw new RdmException(
          "parameter %s has no exp_avg and exp_avg_sq: the optimizer is not Adam"
              .formatted(number));
    }
    return new Moments(state.step(), TensorSources.of(mean), TensorSources.of(square));
  }

  /** Returns the state_dict. */
  Map<String, Object> form() {
    Map<Long, Object> states = new LinkedHashMap<>();
    parameters.forEach((number, moments) -> {
      Map<String, Object> state = new LinkedHashMap<>();
      state.put("step", TensorSources.scalar((float) moments.step));
      state.put("exp_avg", moments.expAvg);
      state.put("exp_avg_sq", moments.expAvgSq);
      states.put(number, state);
    });
    Map<String, Object> form = new LinkedHashMap<>();
    form.put("state", states);
    form.put("param_groups", groups.stream().map(OptimizerContents::group).toList());
    return form;
  }

  /** PyTorch has a tuple of betas, which is represented by a list here. */
  private static Map<String, @Nullable Object> group(Map<String, @Nullable Object> settings) {
    Map<String, @Nullable Object> group = new LinkedHashMap<>(settings);
    if (group.get(BETAS) instanceof List<?> betas) {
      group.put(BETAS, new Tuple(new ArrayList<>(betas)));
    }
    return group;
  }
}
