// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.AllgatherOptions;
import org.bytedeco.pytorch.AllreduceOptions;
import org.bytedeco.pytorch.BackendOptional;
import org.bytedeco.pytorch.BroadcastOptions;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroup;
import org.bytedeco.pytorch.ProcessGroup.BackendType;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.ReduceOp;
import org.bytedeco.pytorch.Work;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.gloo.Device;
import org.relaydiffusion.nativeconfig.JniLibraries;
import org.relaydiffusion.nativeconfig.NativeOutput;

/**
 * A {@code c10d::ProcessGroup} over Gloo, for tensors on the CPU. Every call waits for its end. One
 * thread at a time.
 */
public final class CppGroup implements AutoCloseable {
  // The back ends end an operation themselves when its time is over; this is for when they do not.
  private static final Duration GRACE = Duration.ofSeconds(10);

  private final ProcessGroup group;
  private final ProcessGroupGloo gloo;
  private final Duration timeout;

  private CppGroup(ProcessGroup group, ProcessGroupGloo gloo, Duration timeout) {
    this.group = group;
    this.gloo = gloo;
    this.timeout = timeout;
  }

  /**
   * Connects each process with each other one.
   *
   * @param prefix what the group's keys in the store begin with, the same in all processes
   * @param addresses this machine's addresses to listen at, or names of network interfaces; if
   *     none, what the machine's own name stands for
   */
  public static CppGroup gloo(
      CppStore store, String prefix, int rank, int size, Addresses addresses, Duration timeout)
      throws CppException {
    JniLibraries.load();
    return Cpp.call(() -> {
      ProcessGroupGloo.Options options = ProcessGroupGloo.Options.create(Cpp.milliseconds(timeout));
      options.devices(new GlooDeviceVector(devices(addresses)));
      options.threads(2 * Math.max(1, addresses.names().size()));
      ProcessGroupGloo gloo;
      // It tells about every connection on the standard output stream.
      try (NativeOutput _ = NativeOutput.mute()) {
        gloo = Cpp.kept(new ProcessGroupGloo(store.under(prefix), rank, size, options));
      }
      // The constructor that takes a store as well ends the process in this build.
      ProcessGroup group = Cpp.kept(new ProcessGroup(rank, size));
      group.setBackend(DeviceType.CPU, BackendType.GLOO, new BackendOptional(gloo));
      group.setDefaultBackend(BackendType.GLOO);
      return new CppGroup(group, gloo, timeout);
    });
  }

  private static Device[] devices(Addresses addresses) {
    if (addresses.names().isEmpty()) {
      return new Device[] {ProcessGroupGloo.createDefaultDevice()};
    }
    Function<String, Device> make =
        switch (addresses.kind()) {
          case INTERFACE -> ProcessGroupGloo::createDeviceForInterface;
          case HOST -> ProcessGroupGloo::createDeviceForHostname;
        };
    return addresses.names().stream().map(make).toArray(Device[]::new);
  }

  /** Where a process listens for the others. */
  public record Addresses(Kind kind, List<String> names) {
    /** What the names are. */
    public enum Kind {
      /** Network interfaces, such as eth0. */
      INTERFACE,
      /** Host names or addresses. */
      HOST
    }
  }

  /** Copies root's tensors into everybody's. */
  public void broadcast(TensorHandles tensors, int root) throws CppException {
    Cpp.run(() -> {
      BroadcastOptions options = new BroadcastOptions().rootRank(root);
      // All are under way at once; each is waited for.
      tensors.addresses().stream()
          .map(t -> group.broadcast(Cpp.vector(List.of(t)), options))
          .toList()
          .forEach(this::await);
    });
  }

  /** Combines everybody's tensor, element by element, into everybody's tensor. */
  public void allReduce(TensorHandles tensor, Reduction reduction) throws CppException {
    Cpp.run(() -> {
      AllreduceOptions options = new AllreduceOptions().reduceOp(new ReduceOp(reduction.operation));
      await(group.allreduce(Cpp.vector(tensor.addresses()), options));
    });
  }

  /** How {@link #allReduce} combines. */
  public enum Reduction {
    /** a + b. */
    SUM(ReduceOp.RedOpType.SUM),
    /** a b. */
    PRODUCT(ReduceOp.RedOpType.PRODUCT),
    /** The lesser one. */
    MIN(ReduceOp.RedOpType.MIN),
    /** The greater one. */
    MAX(ReduceOp.RedOpType.MAX);

    private final ReduceOp.RedOpType operation;

    Reduction(ReduceOp.RedOpType operation) {
      this.operation = operation;
    }
  }

  /**
   * Puts everybody's tensor, one after the other, into one that has room for all.
   *
   * @param all the large tensor, then this process's own
   */
  public void allGather(TensorHandles all) throws CppException {
    Cpp.run(() ->
        await(
            group._allgather_base(
                Cpp.tensor(all.addresses().get(0)),
                Cpp.tensor(all.addresses().get(1)),
                new AllgatherOptions())));
  }

  private void await(Work work) {
    if (!work._wait(Cpp.milliseconds(timeout.plus(GRACE)))) {
      throw new IllegalStateException("it was given up");
    }
  }

  ProcessGroup group() {
    return group;
  }

  /** Ends the connections, when what is under way has ended or its time is over. */
  @Override
  public void close() {
    group.deallocate();
    gloo.deallocate();
  }
}
