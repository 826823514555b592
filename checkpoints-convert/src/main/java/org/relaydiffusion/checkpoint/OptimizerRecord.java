package org.relaydiffusion.checkpoint;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The state of an optimizer, as {@code state_dict()} gave it.
 *
 * @param parameters one for each parameter that has a state, by the parameter's number
 * @param groups the settings of each group, plain values; {@code params} lists parameters' numbers
 */
public record OptimizerRecord(
    Map<Long, ParameterState> parameters, List<Map<String, @Nullable Object>> groups) {
  /**
   * The state of one parameter.
   *
   * @param tensors for Adam {@code exp_avg} and {@code exp_avg_sq}, of the parameter's shape, and
   *     {@code step} (a scalar) from PyTorch 1.12 on
   * @param values what is no tensor: {@code step} before that
   */
  public record ParameterState(
      Map<String, StoredTensor> tensors, Map<String, @Nullable Object> values) {}
}
