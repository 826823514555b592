// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.archive.TorchForms;
import org.relaydiffusion.checkpoint.pickle.PickleForm;

/** The attributes of every {@code torch.nn.Module}, in the order in which PyTorch creates them. */
final class ModuleForm {
  private static final List<String> HOOKS_BEFORE =
      List.of("_backward_pre_hooks", "_backward_hooks");
  private static final List<String> HOOKS_AFTER =
      List.of(
          "_forward_hooks",
          "_forward_hooks_with_kwargs",
          "_forward_hooks_always_called",
          "_forward_pre_hooks",
          "_forward_pre_hooks_with_kwargs",
          "_state_dict_hooks",
          "_state_dict_pre_hooks",
          "_load_state_dict_pre_hooks",
          "_load_state_dict_post_hooks");

  private ModuleForm() {}

  /**
   * Returns the attributes of one module, to which those of its class are added. Older versions of
   * PyTorch have fewer hooks and accept the additional ones.
   */
  static Map<String, @Nullable Object> state(
      NetworkForm.Purpose purpose,
      Map<String, PickleForm> parameters,
      Map<String, @Nullable Object> buffers,
      Map<String, PickleForm> modules) {
    Map<String, @Nullable Object> state = new LinkedHashMap<>();
    state.put("training", purpose == NetworkForm.Purpose.TRAINING);
    state.put("_parameters", parameters);
    state.put("_buffers", buffers);
    state.put("_non_persistent_buffers_set", Set.of());
    HOOKS_BEFORE.forEach(hooks -> state.put(hooks, PickleForm.emptyOrderedDict()));
    state.put("_is_full_backward_hook", null);
    HOOKS_AFTER.forEach(hooks -> state.put(hooks, PickleForm.emptyOrderedDict()));
    state.put("_modules", modules);
    return state;
  }

  /** Returns whether the parameters of a network for this purpose require gradients. */
  static TorchForms.Gradient gradient(NetworkForm.Purpose purpose) {
    return purpose == NetworkForm.Purpose.TRAINING
        ? TorchForms.Gradient.WANTED
        : TorchForms.Gradient.NONE;
  }
}
