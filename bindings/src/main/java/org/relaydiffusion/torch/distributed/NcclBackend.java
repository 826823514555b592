// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.cpp.TensorHandles;
import org.relaydiffusion.torch.distributed.BackendException.Peers;
import org.relaydiffusion.torch.ffi.NcclAbi;

/**
 * NCCL's C interface: tensors on a CUDA device, in any LibTorch with CUDA; those on the CPU, which
 * are few and small, go through the control channel.
 *
 * <p>An operation on the device is issued on LibTorch's current stream, and returns then: what is
 * computed on that stream later has its result. A watchdog ends what hangs.
 */
final class NcclBackend implements Backend {
  private final ControlChannel channel;
  private final ChannelTensors onCpu;
  private final NcclCommunicator communicator;
  private final NcclWatchdog watchdog;
  private final Duration limit;

  private NcclBackend(
      ControlChannel channel,
      NcclCommunicator communicator,
      NcclWatchdog watchdog,
      Duration limit) {
    this.channel = channel;
    this.onCpu = new ChannelTensors(channel, limit);
    this.communicator = communicator;
    this.watchdog = watchdog;
    this.limit = limit;
  }

  /**
   * Makes the communicator of all processes.
   *
   * @param channel is the back end's from now on, also where this fails
   */
  static NcclBackend open(ControlChannel channel, int rank, int size, Device device, Duration limit)
      throws BackendException {
    NcclCommunicator communicator =
        new NcclCommunicator(
            device.index(), () -> channel.lost().or(() -> channel.left(NcclWatchdog.LONGEST_REST)));
    try {
      communicator.init(id(channel, rank, limit), rank, size, limit);
      NcclWatchdog watchdog =
          NcclWatchdog.start(communicator, channel, rank, device.index(), limit);
      return new NcclBackend(channel, communicator, watchdog, limit);
    } catch (BackendException e) {
      channel.fail("rank %s: %s".formatted(rank, e.reason()));
      communicator.abort(e.reason());
      channel.close();
      throw e;
    } catch (RuntimeException | Error e) {
      channel.fail("rank %s: %s".formatted(rank, e.getMessage()));
      communicator.abort(String.valueOf(e.getMessage()));
      channel.close();
      throw e;
    }
  }

  private static byte[] id(ControlChannel channel, int rank, Duration limit)
      throws BackendException {
    byte[] own = rank == 0 ? NcclCommunicator.newId() : new byte[0];
    byte[] id = channel.gather(own, limit).getFirst();
    if (id.length != NcclAbi.ID_BYTES) {
      throw new BackendException("rank 0 has no NCCL", Peers.UNKNOWN);
    }
    return id;
  }

  @Override
  public long[] exchange(long[] own) throws BackendException {
    check();
    ByteBuffer bytes = ByteBuffer.allocate(own.length * Long.BYTES);
    bytes.asLongBuffer().put(own);
    List<byte[]> all = channel.gather(bytes.array(), limit);
    long[] numbers = new long[all.size() * own.length];
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).length != bytes.capacity()) {
        throw new BackendException("rank %s is in another operation".formatted(i), Peers.UNKNOWN);
      }
      ByteBuffer.wrap(all.get(i)).asLongBuffer().get(numbers, i * own.length, own.length);
    }
    return numbers;
  }

  @Override
  public void broadcast(List<Tensor> tensors, int root) throws BackendException {
    check();
    for (Tensor tensor : onCpu(tensors)) {
      onCpu.broadcast(tensor, root);
    }
    issue(
        "broadcast",
        onDevice(tensors),
        (one, comm, stream) ->
            NcclAbi.broadcast(one.data(), one.count(), one.type(), root, comm, stream));
  }

  @Override
  public void allReduce(List<Tensor> tensors, Combination how) throws BackendException {
    check();
    if (how == Combination.MEAN && tensors.stream().anyMatch(t -> t.dtype() == DType.BOOL)) {
      throw failed(new BackendException("bool has no mean", Peers.UNKNOWN));
    }
    for (Tensor tensor : onCpu(tensors)) {
      onCpu.allReduce(tensor, how);
    }
    issue(
        "all-reduce",
        onDevice(tensors),
        (one, comm, stream) ->
            NcclAbi.allReduce(
                one.data(), one.count(), one.type(), operation(how, one.dtype()), comm, stream));
  }

  /** NCCL takes a bool for a byte: the sum of two would be 2. */
  private static NcclAbi.Operation operation(Combination how, DType dtype) {
    boolean logical = dtype == DType.BOOL;
    return switch (how) {
      case SUM -> logical ? NcclAbi.Operation.MAX : NcclAbi.Operation.SUM;
      case PRODUCT -> logical ? NcclAbi.Operation.MIN : NcclAbi.Operation.PRODUCT;
      case MIN -> NcclAbi.Operation.MIN;
      case MAX -> NcclAbi.Operation.MAX;
      case MEAN -> NcclAbi.Operation.AVERAGE;
    };
  }

  @Override
  public void allGather(Tensor all, Tensor own) throws BackendException {
    check();
    if (own.device().type() == Device.Type.CPU) {
      onCpu.allGather(all, own);
      return;
    }
    int type = type(own);
    long count = own.numel();
    try (TensorHandles handles = TensorHandles.of(List.of(all, own))) {
      List<Long> data = handles.dataPointers();
      issue(
          "all-gather",
          (comm, stream) -> NcclAbi.allGather(data.get(1), data.get(0), count, type, comm, stream));
    }
  }

  /**
   * A tensor, as NCCL takes it.
   *
   * @param data address on the device
   * @param type {@code ncclDataType_t}
   */
  private record Operand(long data, long count, DType dtype, int type) {}

  /** One of a list's operations. */
  @FunctionalInterface
  private interface One {
    int call(Operand operand, long comm, long stream);
  }

  private void issue(String what, List<Tensor> tensors, One one) throws BackendException {
    if (tensors.isEmpty()) {
      return;
    }
    try (TensorHandles handles = TensorHandles.of(tensors)) {
      List<Long> data = handles.dataPointers();
      List<Operand> operands = new ArrayList<>();
      for (int i = 0; i < data.size(); i++) {
        Tensor t = tensors.get(i);
        operands.add(new Operand(data.get(i), t.numel(), t.dtype(), type(t)));
      }
      issue(
          what,
          (comm, stream) -> {
            for (Operand operand : operands) {
              int result = one.call(operand, comm, stream);
              if (result != NcclAbi.SUCCESS && result != NcclAbi.IN_PROGRESS) {
                return result;
              }
            }
            return NcclAbi.SUCCESS;
          });
    }
  }

  private void issue(String what, NcclCommunicator.Issue issue) throws BackendException {
    try {
      watchdog.watch(communicator.issue(issue, limit), what);
    } catch (BackendException e) {
      throw failed(e);
    }
  }

  /** Tells the others, who may have issued what this process has not. */
  private BackendException failed(BackendException e) {
    channel.fail(e.reason());
    return e;
  }

  private static List<Tensor> onCpu(List<Tensor> tensors) {
    return tensors.stream().filter(t -> t.device().type() == Device.Type.CPU).toList();
  }

  private static List<Tensor> onDevice(List<Tensor> tensors) {
    return tensors.stream().filter(t -> t.device().type() != Device.Type.CPU).toList();
  }

  /** {@code ncclDataType_t}. */
  private int type(Tensor tensor) throws BackendException {
    DType dtype = tensor.dtype();
    return switch (dtype) {
      case INT8 -> 0;
      case UINT8, BOOL -> 1;
      case INT32 -> 2;
      case INT64 -> 4;
      case FLOAT16 -> 6;
      case FLOAT32 -> 7;
      case FLOAT64 -> 8;
      case BFLOAT16 -> 9;
      case INT16 ->
          throw failed(new BackendException("NCCL has no " + dtype.torchName(), Peers.UNKNOWN));
    };
  }

  @Override
  public void check() throws BackendException {
    Optional<String> reason = communicator.failure().or(channel::lost);
    if (reason.isPresent()) {
      throw new BackendException(reason.get(), Peers.LOST);
    }
  }

  @Override
  public void close() {
    watchdog.close();
    channel.close();
    communicator.close();
  }
}
