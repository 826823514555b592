package org.relaydiffusion.checkpoint;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;

/**
 * The state of an optimizer, as {@code state_dict()} gave it.
 *
 * @param parameters one for each parameter that has a state, by the parameter's number
 * @param groups the settings of each group, plain values; {@code params} lists parameters' numbers
 */
public record OptimizerRecord(
    Map<Long, ParameterState> parameters, List<Map<String, @Nullable Object>> groups) {
  private static final float MOST_STEPS = 1e15f;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * The state of one parameter.
   *
   * @param tensors for Adam {@code exp_avg} and {@code exp_avg_sq}, of the parameter's shape, and
   *     {@code step} (a scalar) from PyTorch 1.12 on
   * @param values what is no tensor: {@code step} before that
   */
  public record ParameterState(
      Map<String, StoredTensor> tensors, Map<String, @Nullable Object> values) {
    /**
     * How often the parameter was moved; 0 or more.
     *
     * @throws RdmException when the state does not say
     */
    public long step() {
      if (values.get("step") instanceof Long step && step >= 0) {
        return step;
      }
      StoredTensor step = tensors.get("step");
      if (step == null || step.dtype() != DType.FLOAT32 || step.numel() != 1) {
        throw new RdmException("the optimizer's state has no step that is one float32 or a number");
      }
      float number = step.reading(() -> step.raw().memory().get(FLOAT, 0));
      if (number >= 0 && number <= MOST_STEPS && number == Math.rint(number)) {
        return (long) number;
      }
      throw new RdmException(
          "the optimizer's state has the step %s, expected a whole number".formatted(number));
    }
  }
}
