// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;

/**
 * The state of an optimizer, as returned by {@code state_dict()}.
 *
 * @param parameters one for each parameter with a state, by the index of the parameter
 * @param groups the settings of each group, as plain values; {@code params} lists indices of
 *     parameters
 */
public record OptimizerRecord(
    Map<Long, ParameterState> parameters, List<Map<String, @Nullable Object>> groups) {
  private static final float MOST_STEPS = 1e15f;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * The state of one parameter.
   *
   * @param tensors for Adam {@code exp_avg} and {@code exp_avg_sq}, with the shape of the
   *     parameter, and {@code step} (a scalar) since PyTorch 1.12
   * @param values values that are not tensors: {@code step} before that version
   */
  public record ParameterState(
      Map<String, StoredTensor> tensors, Map<String, @Nullable Object> values) {
    /**
     * Returns the number of updates of the parameter, at least 0.
     *
     * @throws RdmException if it is not recorded
     */
    public long step() {
      if (values.get("step") instanceof Long step && step >= 0) {
        return step;
      }
      StoredTensor step = tensors.get("step");
      if (step == null || step.dtype() != DType.FLOAT32 || step.numel() != 1) {
        throw new RdmException(
            "the optimizer state has no step, or one that is neither a float32 scalar nor a"
                + " number");
      }
      float number = step.reading(() -> step.raw().memory().get(FLOAT, 0));
      if (number >= 0 && number <= MOST_STEPS && number == Math.rint(number)) {
        return (long) number;
      }
      throw new RdmException(
          "the optimizer state has the step %s, expected an integer".formatted(number));
    }
  }
}
