// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.doctor;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeExit;
import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.DeviceGuard;
import org.relaydiffusion.torch.GradMode;

/**
 * The process that tries a device: a driver or library that crashes or hangs ends only this one.
 * Prints the lines that {@link DeviceLines} reads.
 */
final class DeviceCheckMain {
  private DeviceCheckMain() {}

  /**
   * Tries the device, and ends the process.
   *
   * @param arguments the device
   */
  public static void main(String[] arguments) {
    Thread.ofPlatform().daemon().name("rdm-doctor-watch").start(DeviceCheckMain::endWithParent);
    LibTorch.configure(Settings.APPLICATION);
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    try {
      check(Device.parse(arguments[0]), out);
    } catch (RdmException e) {
      out.println(DeviceLines.failed(Printable.line(String.valueOf(e.getMessage()))));
    } catch (RuntimeException | LinkageError e) {
      // Where it was thrown is of no use to the user, and would be taken for the reason.
      out.println(DeviceLines.failed(Printable.line(e.toString())));
    }
    out.flush();
    // Libraries that are closed down in the wrong order would hide what was found.
    NativeExit.now(0);
  }

  private static void check(Device device, PrintStream out) {
    try (var _ = DeviceGuard.on(device);
        var _ = GradMode.noGrad()) {
      if (device.type() == Device.Type.CUDA) {
        choosePrecision();
      }
      for (Exercise exercise : Exercise.values()) {
        out.println(DeviceLines.begun(exercise));
        out.println(DeviceLines.ended(exercise.run(device)));
      }
    }
  }

  /** Results are compared with the CPU's, with room for TensorFloat-32 where it cannot be off. */
  private static void choosePrecision() {
    try {
      CudaPrecision.FULL.apply();
    } catch (NativeLibraryException e) {
      System.err.println(e.getMessage());
    }
  }

  /** The parent never writes; its end is the end of the stream. */
  private static void endWithParent() {
    try {
      while (System.in.read() >= 0) {
        // No data is expected.
      }
    } catch (IOException _) {
      // As the end.
    }
    NativeExit.now(1);
  }
}
