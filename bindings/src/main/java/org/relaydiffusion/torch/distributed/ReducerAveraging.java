// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.cpp.CppGroup;
import org.relaydiffusion.torch.cpp.CppReducer;
import org.relaydiffusion.torch.cpp.CppReducer.Unused;
import org.relaydiffusion.torch.cpp.TensorHandles;
import org.relaydiffusion.torch.distributed.Agreement.Operation;

/** LibTorch's reducer: gradients are averaged while the backward pass goes on. */
final class ReducerAveraging implements GradientAveraging {
  private final ProcessGroup group;
  private final CppReducer reducer;
  private final DdpOptions options;

  /**
   * Hooks itself to the parameters.
   *
   * @param names as many, for messages
   */
  ReducerAveraging(
      ProcessGroup group, List<Tensor> parameters, List<String> names, DdpOptions options) {
    this.group = group;
    this.options = options;
    CppGroup backend =
        group
            .cppGroup()
            .orElseThrow(() ->
                new OptionException(
                    "LibTorch's reducer needs a group over Gloo, on the CPU; this one is for %s"
                        .formatted(group.device())));
    try (TensorHandles handles = TensorHandles.of(parameters)) {
      List<CppReducer> made = new ArrayList<>();
      long bucketBytes = (long) options.bucketMiB() << 20;
      Unused unused = options.findsUnused() ? Unused.FIND : Unused.NONE;
      attempt(
          Operation.PARALLEL.toString(),
          () -> made.add(CppReducer.of(backend, handles, names, bucketBytes, unused)));
      this.reducer = made.getFirst();
    }
  }

  private void attempt(String what, GlooBackend.Action action) {
    group.attempt(what, () -> GlooBackend.run(action));
  }

  @Override
  public void beforeForward() {
    attempt("forward", reducer::prepareForward);
  }

  @Override
  public void beforeBackward(Tensor output) {
    List<Tensor> roots = options.findsUnused() ? List.of(output) : List.of();
    try (TensorHandles handles = TensorHandles.of(roots)) {
      attempt("forward", () -> reducer.prepareBackward(handles));
    }
  }

  @Override
  public void backward(Tensor loss) {
    try (TensorHandles handles = TensorHandles.of(List.of(loss))) {
      group.attempt(
          "backward",
          () -> {
            GlooBackend.run(() -> CppReducer.backward(handles));
            complete();
          });
    }
  }

  /** Most gradients are ready, and sent, only when recomputed segments have been gone through. */
  private static void complete() throws BackendException {
    try {
      ActivationCheckpoints.complete();
    } catch (TorchException e) {
      throw new BackendException(String.valueOf(e.getMessage()), BackendException.Peers.UNKNOWN);
    }
  }

  @Override
  public void close() {
    reducer.close();
  }
}
