// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.JniLibraries;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.cpp.CppException;
import org.relaydiffusion.torch.cpp.CppGroup;
import org.relaydiffusion.torch.cpp.CppStore;
import org.relaydiffusion.torch.cpp.TensorHandles;
import org.relaydiffusion.torch.distributed.Agreement.Operation;

/**
 * Processes that exchange tensors. All of them call the same operations in the same order, with
 * tensors of the same types and shapes; each operation returns when its result is there.
 *
 * <p>What goes wrong is a {@link TorchException} that names the operation, the rank and the time: a
 * process that does not come within the group's time-out or one that ended (then it is a {@link
 * PeerLostException}), one that brings something else. After that the group is broken, and every
 * later operation says so; only what this process alone got wrong (a closed tensor, say) leaves it
 * whole.
 *
 * <p>An interrupt ends the wait for the other processes when a group is made, but no operation:
 * native code works with its tensors. The thread's interrupted status stays set, and the operation
 * ends with the others', or with the group's timeout.
 *
 * <p>Any thread may call, one after the other. A group is the caller's, who closes it.
 */
public final class ProcessGroup implements AutoCloseable {
  private final CppGroup group;
  private final int rank;
  private final int size;
  private final Device device;
  private long operations;
  private @Nullable String broken;
  private boolean closed;

  private ProcessGroup(CppGroup group, int rank, int size, Device device) {
    this.group = group;
    this.rank = rank;
    this.size = size;
    this.device = device;
  }

  /**
   * A group over Gloo, for tensors on the CPU. Returns when all processes are connected.
   *
   * <p>A process listens at the interfaces that the environment variable {@code GLOO_SOCKET_IFNAME}
   * names, else at the address from which it reaches a {@link TcpStore}'s server.
   *
   * @param store where the processes meet; may be closed when the group is made
   * @param rank this process's number, from 0
   * @param size how many processes there are
   * @param timeout how long to wait for the others, here and in each operation
   * @throws OptionException when there can be no such rank, size or time-out
   * @throws TorchException when not all of them come in time
   * @throws org.relaydiffusion.CancelledException when the thread is interrupted while it waits
   */
  public static ProcessGroup gloo(Store store, int rank, int size, Duration timeout) {
    return make(store, rank, size, Device.CPU, timeout);
  }

  /**
   * A group over NCCL for tensors on a CUDA device, and over Gloo for those on the CPU.
   *
   * @param device this process's CUDA device, which no other process uses
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException when this build of LibTorch has
   *     no CUDA in it
   * @throws OptionException also when the device cannot be used
   * @see #gloo
   */
  public static ProcessGroup nccl(
      Store store, int rank, int size, Device device, Duration timeout) {
    TorchException.requireNonNull(device, "device");
    if (device.type() != Device.Type.CUDA) {
      throw new OptionException("NCCL is for CUDA devices, not " + device);
    }
    JniLibraries.loadNccl();
    Torch.requireUsable(device);
    return make(store, rank, size, device, timeout);
  }

  private static ProcessGroup make(
      Store store, int rank, int size, Device device, Duration timeout) {
    TorchException.requireNonNull(store, "store");
    Store.checkedSize(size);
    Store.checked(timeout);
    if (rank < 0 || rank >= size) {
      throw new OptionException(
          "there is no rank %s among %s processes, from 0".formatted(rank, size));
    }
    String prefix = store.nextGroup();
    Arrivals arrivals = new Arrivals(store, prefix, size, timeout);
    arrivals.register();
    arrivals.await();
    CppGroup group =
        store.use(
            "connecting rank %s of %s".formatted(rank, size),
            timeout,
            s -> {
              CppGroup made =
                  CppGroup.gloo(s, prefix + "/gloo", rank, size, LocalAddress.of(store), timeout);
              if (device.type() == Device.Type.CUDA) {
                addNccl(made, s, prefix + "/nccl", device);
              }
              return made;
            });
    return new ProcessGroup(group, rank, size, device);
  }

  private static void addNccl(CppGroup group, CppStore store, String prefix, Device device)
      throws CppException {
    try {
      group.addNccl(store, prefix, device.index());
    } catch (CppException | RuntimeException e) {
      group.close();
      throw e;
    }
  }

  /** This process's number, from 0. */
  public int rank() {
    return rank;
  }

  /** How many processes there are. */
  public int size() {
    return size;
  }

  /** Where the tensors of this process are: the CPU, or the CUDA device of an NCCL group. */
  public Device device() {
    return device;
  }

  /**
   * Gives every process the root's values.
   *
   * @param tensors in place; of the same types and shapes in all processes
   * @param root the rank whose values they are
   * @throws OptionException when there is no such rank
   */
  public void broadcast(List<Tensor> tensors, int root) {
    TorchException.requireNoNulls(tensors, "tensors");
    if (root < 0 || root >= size) {
      throw new OptionException("there is no rank %s among %s processes".formatted(root, size));
    }
    inPlace(Operation.BROADCAST, root, tensors, h -> group.broadcast(h, root));
  }

  /**
   * Combines the processes' tensors, element by element, and gives every process the result.
   *
   * @param tensor in place
   */
  @SuppressWarnings("EnumOrdinal") // All processes run the same build.
  public void allReduce(Tensor tensor, ReduceOp op) {
    TorchException.requireNonNull(tensor, "tensor");
    TorchException.requireNonNull(op, "op");
    inPlace(
        Operation.ALL_REDUCE,
        op.ordinal(),
        List.of(tensor),
        h -> group.allReduce(h, op.reduction()));
  }

  /**
   * Gives every process all processes' tensors, by rank.
   *
   * @return new tensors, the current scope's, which are views of one piece of memory
   */
  public synchronized List<Tensor> allGather(Tensor tensor) {
    TorchException.requireNonNull(tensor, "tensor");
    checkUsable();
    checkDevice(tensor);
    try (TensorScope scope = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor own = tensor.detach().contiguous();
      agree(Operation.ALL_GATHER, 0, List.of(own));
      Tensor all = gather(Operation.ALL_GATHER, own);
      return Shapes.unbind(all, 0).stream().map(scope::keep).toList();
    }
  }

  /** Returns when every process has called it. */
  public synchronized void barrier() {
    checkUsable();
    // That all have shown what they are about to do means that all are here.
    agree(Operation.BARRIER, 0, List.of());
  }

  /**
   * Throws when something went wrong in the background, as a peer's end can on CUDA: to be called
   * before results are kept.
   */
  public synchronized void check() {
    checkUsable();
    attempt(
        "looking for errors",
        () ->
            group
                .backgroundError()
                .ifPresent(error -> {
                  throw PeerLostException.orOther(error + where(), error);
                }));
  }

  @FunctionalInterface
  private interface Exchange {
    void of(TensorHandles tensors) throws CppException;
  }

  private synchronized void inPlace(
      Operation operation, int parameter, List<Tensor> tensors, Exchange exchange) {
    checkUsable();
    for (Tensor t : tensors) {
      checkDevice(t);
      TensorHandles.checkWritable(t);
    }
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      // Back ends read memory from its first to its last byte, whatever the strides say.
      List<Tensor> dense = tensors.stream().map(t -> t.detach().contiguous()).toList();
      agree(operation, parameter, tensors);
      List<Tensor> filled = dense.stream().filter(t -> t.numel() > 0).toList();
      try (TensorHandles handles = TensorHandles.of(filled)) {
        if (!filled.isEmpty()) {
          attempt(operation.toString(), () -> exchange.of(handles));
        }
      }
      for (int i = 0; i < dense.size(); i++) {
        Tensor target = tensors.get(i);
        if (!target.isContiguous()) {
          target.detach().copyFrom(dense.get(i));
        }
      }
    }
  }

  /** Makes sure that all processes are here, about to do the same with the same shapes. */
  final synchronized void agree(Operation operation, int parameter, List<Tensor> tensors) {
    checkUsable();
    long[] numbers = Agreement.of(operations++, operation, parameter, tensors);
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      long[] all = gather(operation, Torch.tensor(numbers, Agreement.LENGTH)).toLongs();
      String difference = Agreement.difference(all, rank);
      if (!difference.isEmpty()) {
        throw new TorchException(broke("%s%s: %s".formatted(operation, where(), difference)));
      }
    }
  }

  /** All processes' tensors along a new first axis. */
  private Tensor gather(Operation operation, Tensor own) {
    long[] shape = own.shape();
    long[] sizes = new long[shape.length + 1];
    sizes[0] = size;
    System.arraycopy(shape, 0, sizes, 1, shape.length);
    Tensor flat = own.reshape(-1);
    Tensor all = Torch.empty(own.dtype(), own.device(), size * flat.numel());
    if (flat.numel() > 0) {
      try (TensorHandles handles = TensorHandles.of(List.of(all, flat))) {
        attempt(operation.toString(), () -> group.allGather(handles));
      }
    }
    return all.reshape(sizes);
  }

  /** Calls; where that fails, the group is broken. */
  final synchronized void attempt(String what, Attempt.Action action) {
    checkUsable();
    try {
      Attempt.run(what + where(), action);
    } catch (TorchException e) {
      broke(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  final CppGroup group() {
    return group;
  }

  final synchronized void checkUsable() {
    if (closed) {
      throw new TorchException("the process group of rank %s is closed".formatted(rank));
    }
    if (broken != null) {
      throw PeerLostException.orOther(
          "the process group of rank %s broke before: %s".formatted(rank, broken), broken);
    }
  }

  final void checkDevice(Tensor tensor) {
    Device actual = tensor.device();
    if (actual.type() != Device.Type.CPU && !actual.equals(device)) {
      throw new TorchException(
          "the process group of rank %s is for tensors on %s, not for %s"
              .formatted(rank, device, tensor.describe()));
    }
  }

  private String where() {
    return " on rank %s of %s".formatted(rank, size);
  }

  private String broke(String message) {
    if (broken == null) {
      broken = message;
    }
    return message;
  }

  /** Ends the connections; closing twice is allowed. The other processes' next operation fails. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      group.close();
    }
  }
}
