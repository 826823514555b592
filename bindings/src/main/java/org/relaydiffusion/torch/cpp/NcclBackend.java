// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.BackendOptional;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ErrorType;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;
import org.relaydiffusion.nativeconfig.NativeEnvironment;

/** {@code c10d::ProcessGroupNCCL}, in a class of its own: only CUDA builds can load its library. */
final class NcclBackend implements AutoCloseable {
  // When a peer is lost, a watching thread of the back end ends what waits for it. By default it
  // then ends the process; here the next call says what happened. The user's own settings stand.
  private static final Map<String, String> SETTINGS =
      Map.of(
          "TORCH_NCCL_ASYNC_ERROR_HANDLING", "2",
          "TORCH_NCCL_ENABLE_MONITORING", "0",
          "TORCH_NCCL_DUMP_ON_TIMEOUT", "0");

  private final ProcessGroupNCCL nccl;

  /** Makes the communicator with all others at once, so that what is wrong with it shows here. */
  NcclBackend(Store store, int rank, int size, int device, Duration timeout) {
    SETTINGS.forEach(NativeEnvironment::setUnlessSet);
    ProcessGroupNCCL.Options options = ProcessGroupNCCL.Options.create();
    options.timeout(Cpp.milliseconds(timeout));
    nccl = Cpp.kept(new ProcessGroupNCCL(store, rank, size, options));
    nccl.eagerConnectSingleDevice(new Device(DeviceType.CUDA.value, (byte) device));
  }

  BackendOptional optional() {
    return new BackendOptional(nccl);
  }

  /** What the watching thread found. */
  Optional<String> error() {
    ErrorType error = nccl.getError();
    return error.intern() == ErrorType.SUCCESS
        ? Optional.empty()
        : Optional.of("NCCL reports " + error.toString().toLowerCase(Locale.ROOT));
  }

  @Override
  public void close() {
    try {
      if (error().isEmpty()) {
        nccl.shutdown();
      } else {
        nccl.abort();
      }
    } catch (RuntimeException e) {
      System.getLogger("org.relaydiffusion.torch")
          .log(System.Logger.Level.DEBUG, "NCCL could not be ended in order", e);
    }
    nccl.deallocate();
  }
}
