// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Map;
import java.util.Set;
import org.relaydiffusion.torch.OperatorSchema.Parameter;

/**
 * Operators that write into arguments without {@code (a!)} in their schemas: normalizations update
 * their running statistics, and a gradient that is taken over is added to later.
 */
final class UnmarkedWrites {
  private static final Set<String> STATISTICS = Set.of("running_mean", "running_var");

  /** By the operator's name, the flag with which it writes; empty where it always does. */
  private static final Map<String, String> UPDATES_STATISTICS =
      Map.of(
          "aten::batch_norm", "training",
          "aten::native_batch_norm", "training",
          "aten::_batch_norm_impl_index", "training",
          "aten::cudnn_batch_norm", "training",
          "aten::miopen_batch_norm", "training",
          "aten::instance_norm", "use_input_stats",
          "aten::batch_norm_update_stats", "",
          "aten::batch_norm_gather_stats", "",
          "aten::batch_norm_gather_stats_with_counts", "");

  private UnmarkedWrites() {}

  /**
   * Whether this call writes into its argument for {@code p}, though the schema does not say so.
   */
  static boolean writes(OperatorCall call, Parameter p) {
    OperatorSchema schema = call.operator().schema();
    if (STATISTICS.contains(p.name())) {
      String flag = UPDATES_STATISTICS.get(schema.name());
      int at = flag == null ? -1 : schema.indexOf(flag);
      return flag != null && (at < 0 || !call.isBits(at) || call.bits(at) != 0);
    }
    return p.name().equals("new_grad") && schema.name().equals("inductor::accumulate_grad_");
  }
}
