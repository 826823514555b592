// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;

/** NVIDIA's driver, asked directly: it knows its devices also where LibTorch has no CUDA half. */
final class CudaDriver {
  private static final int COMPUTE_CAPABILITY_MAJOR = 75;
  private static final int COMPUTE_CAPABILITY_MINOR = 76;
  private static final int NO_DEVICE = 100;
  private static final int NAME_BYTES = 256;

  private final SymbolLookup driver;
  private final Arena arena;

  private CudaDriver(SymbolLookup driver, Arena arena) {
    this.driver = driver;
    this.arena = arena;
  }

  /** What came of asking. */
  sealed interface Answer {}

  /** A driver that works; {@code version} is the newest CUDA that it runs. */
  record Found(String version, List<DoctorReport.CudaDevice> devices) implements Answer {}

  /** No driver, or one that refuses. */
  record Absent(String reason) implements Answer {}

  /** A function of the driver returned an error or is missing. */
  private static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
      super(message);
    }
  }

  static Answer examine() {
    String name =
        System.getProperty("os.name", "").startsWith("Windows") ? "nvcuda.dll" : "libcuda.so.1";
    SymbolLookup driver;
    try {
      // For the life of the process: a driver that is closed again may leave threads behind.
      driver = SymbolLookup.libraryLookup(name, Arena.global());
    } catch (IllegalArgumentException e) {
      return new Absent("no NVIDIA driver was found (" + name + ")");
    } catch (IllegalCallerException e) {
      return new Absent(String.valueOf(NativeAccess.refusal(e).getMessage()));
    }
    try (Arena arena = Arena.ofConfined()) {
      return new CudaDriver(driver, arena).devices();
    } catch (Refused | NativeLibraryException e) {
      return new Absent("the NVIDIA driver refuses: " + e.getMessage());
    }
  }

  private Answer devices() throws Refused {
    String version = version();
    int code = code("cuInit", FunctionDescriptor.of(JAVA_INT, JAVA_INT), 0);
    if (code == NO_DEVICE) {
      return new Found(version, List.of());
    }
    require("cuInit", code);
    MemorySegment number = arena.allocate(JAVA_INT);
    ask("cuDeviceGetCount", FunctionDescriptor.of(JAVA_INT, ADDRESS), number);
    int count = number.get(JAVA_INT, 0);
    List<DoctorReport.CudaDevice> devices = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      devices.add(device(i));
    }
    return new Found(version, List.copyOf(devices));
  }

  private String version() throws Refused {
    MemorySegment number = arena.allocate(JAVA_INT);
    ask("cuDriverGetVersion", FunctionDescriptor.of(JAVA_INT, ADDRESS), number);
    int version = number.get(JAVA_INT, 0);
    return version / 1000 + "." + version % 1000 / 10;
  }

  private DoctorReport.CudaDevice device(int index) throws Refused {
    MemorySegment number = arena.allocate(JAVA_INT);
    ask("cuDeviceGet", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), number, index);
    int device = number.get(JAVA_INT, 0);
    MemorySegment name = arena.allocate(NAME_BYTES);
    ask(
        "cuDeviceGetName",
        FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
        name,
        NAME_BYTES - 1,
        device);
    MemorySegment bytes = arena.allocate(JAVA_LONG);
    ask("cuDeviceTotalMem_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), bytes, device);
    return new DoctorReport.CudaDevice(
        index,
        name.getString(0),
        bytes.get(JAVA_LONG, 0),
        attribute(device, COMPUTE_CAPABILITY_MAJOR)
            + "."
            + attribute(device, COMPUTE_CAPABILITY_MINOR));
  }

  private int attribute(int device, int attribute) throws Refused {
    MemorySegment number = arena.allocate(JAVA_INT);
    ask(
        "cuDeviceGetAttribute",
        FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
        number,
        attribute,
        device);
    return number.get(JAVA_INT, 0);
  }

  private void ask(String function, FunctionDescriptor descriptor, Object... arguments)
      throws Refused {
    require(function, code(function, descriptor, arguments));
  }

  private int code(String function, FunctionDescriptor descriptor, Object... arguments)
      throws Refused {
    MemorySegment address =
        driver.find(function).orElseThrow(() -> new Refused("it has no function " + function));
    return (int) Downcall.call(address, descriptor, arguments);
  }

  private static void require(String function, int code) throws Refused {
    if (code != 0) {
      throw new Refused(function + " returned error " + code);
    }
  }
}
