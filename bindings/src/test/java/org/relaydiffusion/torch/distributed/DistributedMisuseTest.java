// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Module;

/** Whatever one process alone can get wrong is refused in one line. */
@EnabledOnOs(OS.LINUX)
class DistributedMisuseTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  @TempDir private Path folder;

  private static TcpStore alone() {
    return new TcpStore("localhost", 0, 1, TcpStore.Role.SERVER, Duration.ofSeconds(30));
  }

  @Test
  void whatCannotBeIsRefusedBeforeAnythingIsTried() {
    assertThatThrownBy(() -> new TcpStore("localhost", 70000, 1, TcpStore.Role.SERVER, SECOND))
        .isInstanceOf(OptionException.class)
        .hasMessage("a port is a number from 1 to 65535, not 70000");
    assertThatThrownBy(() -> new TcpStore(" ", 7000, 1, TcpStore.Role.SERVER, SECOND))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new TcpStore("localhost", 0, 0, TcpStore.Role.SERVER, SECOND))
        .isInstanceOf(OptionException.class)
        .hasMessage("a job has 1 process or more, not 0");
    assertThatThrownBy(() -> new TcpStore("localhost", 0, 1, TcpStore.Role.SERVER, Duration.ZERO))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new FileStore(folder.resolve("no/store"), 1))
        .isInstanceOf(FileException.class);
    assertThatThrownBy(() -> new FileStore(folder, 1)).isInstanceOf(FileException.class);
    assertThatThrownBy(() -> new DdpOptions(0, DdpOptions.Unused.NONE, DdpOptions.Averaging.AUTO))
        .isInstanceOf(OptionException.class);
  }

  @Test
  void aPortInUseIsTold() throws IOException {
    try (ServerSocket taken = new ServerSocket(0)) {
      assertThatThrownBy(() ->
              new TcpStore("127.0.0.1", taken.getLocalPort(), 1, TcpStore.Role.SERVER, SECOND))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("store 127.0.0.1:" + taken.getLocalPort())
          .hasMessageContaining("address already in use");
    }
  }

  @Test
  void aServerThatNeverAnswersIsGivenUp() throws IOException {
    try (ServerSocket silent = new ServerSocket(0)) {
      assertThatThrownBy(() ->
              new TcpStore("127.0.0.1", silent.getLocalPort(), 2, TcpStore.Role.CLIENT, SECOND))
          .isInstanceOf(TorchException.class)
          .hasMessageMatching("store 127\\.0\\.0\\.1:\\d+ failed after \\d+\\.\\d s: .+");
    }
  }

  @Test
  void aKeyThatNeverComesIsWaitedForNoLongerThanAsked() {
    try (TcpStore store = alone()) {
      assertThatThrownBy(() -> store.await(Duration.ofMillis(200), "never"))
          .isInstanceOf(TorchException.class)
          .hasMessageStartingWith(store + ": waiting for never failed after ")
          .hasMessageContaining("timed out after 200ms, keys without a value: never");
    }
  }

  @Test
  void aClosedStoreSaysSo() {
    TcpStore store = alone();
    store.close();
    store.close();
    assertThatThrownBy(() -> store.set("key", new byte[1]))
        .isInstanceOf(TorchException.class)
        .hasMessage(store + " is closed");
  }

  @Test
  void aGroupOutlivesItsStoreAndItsMistakes() {
    try (TensorScope _ = TensorScope.open();
        ProcessGroup group = groupOfOne()) {
      Tensor closed = Torch.ones(DType.FLOAT32, 2);
      closed.close();
      assertThatThrownBy(() -> group.allReduce(closed, ReduceOp.SUM))
          .isInstanceOf(TorchException.class)
          .hasMessage("this tensor is closed");
      assertThatThrownBy(() -> group.broadcast(List.of(), 1)).isInstanceOf(OptionException.class);
      Tensor number = Torch.scalar(3.5);
      group.allReduce(number, ReduceOp.MIN);
      assertThat(number.item()).isEqualTo(3.5);
      group.barrier();
    }
  }

  @Test
  void aClosedGroupSaysSo() {
    ProcessGroup group = groupOfOne();
    group.close();
    group.close();
    assertThatThrownBy(group::barrier)
        .isInstanceOf(TorchException.class)
        .hasMessage("the process group of rank 0 is closed");
  }

  private static ProcessGroup groupOfOne() {
    try (TcpStore store = alone()) {
      assertThatThrownBy(() -> ProcessGroup.gloo(store, 1, 1, SECOND))
          .isInstanceOf(OptionException.class)
          .hasMessage("there is no rank 1 among 1 processes, from 0");
      return ProcessGroup.gloo(store, 0, 1, Duration.ofSeconds(30));
    }
  }

  @Test
  void ncclIsRefusedInOneLineWhereThereIsNone() {
    try (TcpStore store = alone()) {
      assertThatThrownBy(() -> ProcessGroup.nccl(store, 0, 1, Device.CPU, SECOND))
          .isInstanceOf(OptionException.class)
          .hasMessage("NCCL is for CUDA devices, not cpu");
      if (!Torch.library().hasCuda()) {
        assertThatThrownBy(() -> ProcessGroup.nccl(store, 0, 1, Device.cuda(0), SECOND))
            .isInstanceOf(NativeLibraryException.class)
            .hasMessageStartingWith("NCCL cannot be used: ");
      }
    }
  }

  @Test
  void processesOnDifferentKindsOfDevicesAreRefused() {
    try (TcpStore store = alone()) {
      // Another process has come, for CUDA.
      store.add("rdm/group0/CUDA", 1);
      store.add("rdm/group0/come", 1);
      assertThatThrownBy(() -> ProcessGroup.gloo(store, 0, 2, SECOND))
          .isInstanceOf(OptionException.class)
          .hasMessage(
              "this process uses cpu, but 1 of the 2 processes do not: all must use the CPU, or all"
                  + " CUDA");
    }
  }

  @Test
  void aNetworkWithNothingToLearnIsRefused() {
    try (ProcessGroup group = groupOfOne();
        Module nothing = new Module() {}) {
      assertThatThrownBy(() -> new DistributedDataParallel(nothing, group, DdpOptions.DEFAULT))
          .isInstanceOf(TorchException.class)
          .hasMessage("no parameter of this network requires a gradient");
    }
  }
}
