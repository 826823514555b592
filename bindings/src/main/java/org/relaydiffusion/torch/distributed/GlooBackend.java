// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.List;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.cpp.CppException;
import org.relaydiffusion.torch.cpp.CppGroup;
import org.relaydiffusion.torch.cpp.CppGroup.Reduction;
import org.relaydiffusion.torch.cpp.TensorHandles;
import org.relaydiffusion.torch.distributed.BackendException.Peers;

/** Gloo, through LibTorch's C++ classes: tensors on the CPU. */
final class GlooBackend implements Backend {
  private final CppGroup group;
  private final int size;

  GlooBackend(CppGroup group, int size) {
    this.group = group;
    this.size = size;
  }

  /** For the C++ reducer, which calls it by itself. */
  CppGroup group() {
    return group;
  }

  /** A call of C++. */
  @FunctionalInterface
  interface Action {
    void run() throws CppException;
  }

  /** Calls C++; its exception, with what the words tell of the peers, is a back end's. */
  static void run(Action action) throws BackendException {
    try {
      action.run();
    } catch (CppException e) {
      // Attempt looks for the words by which LibTorch says that a peer is gone.
      throw new BackendException(e.reason(), Peers.UNKNOWN);
    }
  }

  @Override
  public long[] exchange(long[] own) throws BackendException {
    try (TensorScope _ = TensorScope.open()) {
      Tensor mine = Torch.tensor(own, own.length);
      Tensor all = Torch.empty(mine.dtype(), mine.device(), (long) size * own.length);
      allGather(all, mine);
      return all.toLongs();
    }
  }

  @Override
  public void broadcast(List<Tensor> tensors, int root) throws BackendException {
    try (TensorHandles handles = TensorHandles.of(tensors)) {
      run(() -> group.broadcast(handles, root));
    }
  }

  @Override
  public void allReduce(List<Tensor> tensors, Combination how) throws BackendException {
    for (Tensor tensor : tensors) {
      try (TensorHandles handle = TensorHandles.of(List.of(tensor))) {
        run(() -> group.allReduce(handle, reduction(how)));
      }
      if (how == Combination.MEAN) {
        try (Tensor mean = tensor.div(size)) {
          Tensor _ = tensor.copyFrom(mean);
        }
      }
    }
  }

  private static Reduction reduction(Combination how) {
    return switch (how) {
      case SUM, MEAN -> Reduction.SUM;
      case PRODUCT -> Reduction.PRODUCT;
      case MIN -> Reduction.MIN;
      case MAX -> Reduction.MAX;
    };
  }

  @Override
  public void allGather(Tensor all, Tensor own) throws BackendException {
    try (TensorHandles handles = TensorHandles.of(List.of(all, own))) {
      run(() -> group.allGather(handles));
    }
  }

  @Override
  public void check() {
    // Each of its operations tells itself what went wrong.
  }

  @Override
  public void close() {
    group.close();
  }
}
