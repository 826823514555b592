// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.cpp.CppGroup;
import org.relaydiffusion.torch.cpp.CppStore;
import org.relaydiffusion.torch.cpp.TensorHandles;
import org.relaydiffusion.torch.distributed.Agreement.Operation;
import org.relaydiffusion.torch.distributed.Backend.Combination;

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
  private final Backend backend;
  private final SharedAccess store;
  private final int rank;
  private final int size;
  private final Device device;
  private long operations;
  private @Nullable String broken;
  private boolean peerLost;
  private boolean closed;

  private ProcessGroup(Backend backend, SharedAccess store, int rank, int size, Device device) {
    this.backend = backend;
    this.store = store;
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
   * @throws OptionException when there can be no such rank, size or time-out, or the processes are
   *     not all on the CPU or all on CUDA
   * @throws TorchException when not all of them come in time
   * @throws org.relaydiffusion.CancelledException when the thread is interrupted while it waits
   */
  public static ProcessGroup gloo(Store store, int rank, int size, Duration timeout) {
    return make(store, rank, size, Device.CPU, timeout);
  }

  /**
   * A group over NCCL for tensors on a CUDA device. Small ones on the CPU may be exchanged too.
   * NCCL is called through its C interface, so that this works with every LibTorch that has CUDA;
   * {@link org.relaydiffusion.nativeconfig.NcclLibrary} says where its library is searched for.
   *
   * <p>An operation on the device returns when it is on LibTorch's current stream; what is computed
   * there afterwards has its result. A process that ends, an error that NCCL reports later, and an
   * operation that is not done within the timeout abort what the device waits for and break the
   * group of all processes.
   *
   * @param device this process's CUDA device, which no other process uses
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException when this build of LibTorch has
   *     no CUDA in it, or NCCL is not found or older than 2.18
   * @throws OptionException also when the device cannot be used
   * @see #gloo
   */
  public static ProcessGroup nccl(
      Store store, int rank, int size, Device device, Duration timeout) {
    TorchException.requireNonNull(device, "device");
    if (device.type() != Device.Type.CUDA) {
      throw new OptionException("NCCL is for CUDA devices, not " + device);
    }
    NcclCommunicator.requireVersion();
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
    String alike = "%s/%s".formatted(prefix, device.type().name());
    store.add(alike, 1);
    arrivals.register();
    arrivals.await();
    requireAll(store.add(alike, 0), size, device);
    // The others may still be connecting when this process is done with that.
    SharedAccess share = store.retain();
    try {
      Backend backend =
          device.type() == Device.Type.CUDA
              ? nccl(store, prefix, rank, size, device, timeout)
              : gloo(store, prefix, rank, size, timeout);
      return new ProcessGroup(backend, share, rank, size, device);
    } catch (RuntimeException | Error e) {
      share.release();
      throw e;
    }
  }

  /** Processes on the CPU and on GPUs have no way to reach each other. */
  private static void requireAll(long alike, int size, Device device) {
    if (alike != size) {
      throw new OptionException(
          "this process uses %s, but %s of the %s processes do not: all must use the CPU, or all CUDA"
              .formatted(device, size - alike, size));
    }
  }

  private static Backend nccl(
      Store store, String prefix, int rank, int size, Device device, Duration timeout) {
    ControlChannel channel = ControlChannel.open(store, prefix, rank, size, timeout);
    List<Backend> made = new ArrayList<>();
    Attempt.run(
        "%s: connecting rank %s of %s over NCCL".formatted(store, rank, size),
        () -> made.add(NcclBackend.open(channel, rank, size, device, timeout)));
    return made.getFirst();
  }

  private static Backend gloo(Store store, String prefix, int rank, int size, Duration timeout) {
    String what = "%s: connecting rank %s of %s".formatted(store, rank, size);
    return Attempt.within(
        timeout,
        what,
        () -> {
          String name = store.prefix() + prefix + "/gloo";
          try (CppStore meeting = store.cppStore(name, timeout)) {
            return new GlooBackend(
                CppGroup.gloo(meeting, name, rank, size, LocalAddress.of(store), timeout), size);
          }
        },
        new WaitNotices(store.listener(), () -> what));
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
    inPlace(Operation.BROADCAST, root, tensors, dense -> backend.broadcast(dense, root));
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
        dense -> backend.allReduce(dense, op.combination()));
  }

  /** Gives every process the means of the processes' tensors, in place, by one call. */
  final void average(List<Tensor> tensors) {
    inPlace(Operation.AVERAGE, 0, tensors, dense -> backend.allReduce(dense, Combination.MEAN));
  }

  /**
   * All processes' numbers, as many from each, one after the other by rank.
   *
   * @param what for, for messages
   */
  final synchronized long[] exchange(String what, long[] own) {
    checkUsable();
    List<long[]> all = new ArrayList<>();
    attempt(what, () -> all.add(backend.exchange(own)));
    return all.getFirst();
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
      // What may fail here alone comes before the others rely on this process.
      Tensor all = Torch.empty(own.dtype(), own.device(), size * own.numel());
      agree(Operation.ALL_GATHER, 0, List.of(own));
      gather(all, own);
      return Shapes.unbind(all.reshape(stacked(own.shape())), 0).stream().map(scope::keep).toList();
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
    attempt("looking for errors", backend::check);
  }

  @FunctionalInterface
  private interface Exchange {
    void of(List<Tensor> dense) throws BackendException;
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
      if (!filled.isEmpty()) {
        attempt(operation.toString(), () -> exchange.of(filled));
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
    List<long[]> all = new ArrayList<>();
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      attempt(operation.toString(), () -> all.add(backend.exchange(numbers)));
    }
    String difference = Agreement.difference(all.getFirst(), rank);
    if (!difference.isEmpty()) {
      throw new TorchException(broke("%s%s: %s".formatted(operation, where(), difference)));
    }
  }

  /** The shape of all processes' tensors along a new first axis. */
  private long[] stacked(long[] shape) {
    long[] sizes = new long[shape.length + 1];
    sizes[0] = size;
    System.arraycopy(shape, 0, sizes, 1, shape.length);
    return sizes;
  }

  private void gather(Tensor all, Tensor own) {
    if (own.numel() > 0) {
      Tensor flat = own.reshape(-1);
      attempt(Operation.ALL_GATHER.toString(), () -> backend.allGather(all, flat));
    }
  }

  /** Calls; where that fails, the group is broken. */
  final synchronized void attempt(String what, Attempt.Action action) {
    checkUsable();
    try {
      Attempt.run(what + where(), action);
    } catch (TorchException e) {
      if (broken == null) {
        peerLost = e instanceof PeerLostException;
      }
      broke(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  /** What LibTorch's C++ classes take for a group: of one over Gloo alone. */
  final Optional<CppGroup> cppGroup() {
    return backend instanceof GlooBackend gloo ? Optional.of(gloo.group()) : Optional.empty();
  }

  final synchronized void checkUsable() {
    if (closed) {
      throw new TorchException("the process group of rank %s is closed".formatted(rank));
    }
    if (broken != null) {
      String message = "the process group of rank %s broke before: %s".formatted(rank, broken);
      throw peerLost ? new PeerLostException(message) : new TorchException(message);
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

  /**
   * Ends the connections, within some seconds, when an operation of another thread has ended, which
   * the group's timeout bounds; closing twice is allowed. The other processes' next operation
   * fails, and so does one that waits for this process.
   */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      backend.close();
      store.release();
    }
  }
}
