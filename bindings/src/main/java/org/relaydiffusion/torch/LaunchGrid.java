// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.ffi.CudaRuntimeAbi;

/**
 * How many blocks of 256 threads LibTorch's random kernels use at most on a GPU: as many as it runs
 * at once, which is the number of its multiprocessors times the blocks of each. A draw of more
 * elements than 256 times that number depends on it.
 *
 * @param blocks 1 to {@link #MOST}
 */
public record LaunchGrid(int blocks) {
  /** The largest number of blocks: that of 2^31 threads. */
  public static final int MOST = (1 << 23) - 1;

  private static final int BLOCK_THREADS = 256;

  /** NVIDIA A100: 108 multiprocessors of 2048 threads. */
  public static final LaunchGrid A100 = new LaunchGrid(864);

  /** NVIDIA H100 SXM, and H200: 132 multiprocessors of 2048 threads. */
  public static final LaunchGrid H100 = new LaunchGrid(1056);

  /** NVIDIA V100: 80 multiprocessors of 2048 threads. */
  public static final LaunchGrid V100 = new LaunchGrid(640);

  /** NVIDIA GeForce RTX 4090: 128 multiprocessors of 1536 threads. */
  public static final LaunchGrid RTX_4090 = new LaunchGrid(768);

  /** NVIDIA GeForce RTX 3090: 82 multiprocessors of 1536 threads. */
  public static final LaunchGrid RTX_3090 = new LaunchGrid(492);

  private static final Map<String, LaunchGrid> NAMED = named();

  /**
   * Checks the number of blocks.
   *
   * @throws OptionException if no GPU can have it
   */
  public LaunchGrid {
    if (blocks < 1 || blocks > MOST) {
      throw new OptionException("a GPU has 1 to %s blocks, not %s".formatted(MOST, blocks));
    }
  }

  /**
   * Returns the grid of a device.
   *
   * @return empty for the CPU, where there is no such device, and where CUDA does not tell
   */
  public static Optional<LaunchGrid> of(Device device) {
    TorchException.requireNonNull(device, "device");
    if (device.type() != Device.Type.CUDA || Torch.cudaDeviceCount() <= device.index()) {
      return Optional.empty();
    }
    OptionalInt processors =
        CudaRuntimeAbi.attribute(CudaRuntimeAbi.Attribute.MULTIPROCESSORS, device.index());
    OptionalInt threads =
        CudaRuntimeAbi.attribute(
            CudaRuntimeAbi.Attribute.THREADS_OF_A_MULTIPROCESSOR, device.index());
    long blocks = (long) processors.orElse(0) * (threads.orElse(0) / BLOCK_THREADS);
    return blocks < 1 || blocks > MOST
        ? Optional.empty()
        : Optional.of(new LaunchGrid((int) blocks));
  }

  /**
   * Returns whether the numbers of a draw depend on the grid.
   *
   * @param elements of the draw
   */
  public boolean limits(long elements) {
    return elements > (long) BLOCK_THREADS * blocks;
  }

  private static Map<String, LaunchGrid> named() {
    Map<String, LaunchGrid> named = new LinkedHashMap<>();
    named.put("a100", A100);
    named.put("h100", H100);
    named.put("v100", V100);
    named.put("rtx4090", RTX_4090);
    named.put("rtx3090", RTX_3090);
    named.put("h200", H100);
    return named;
  }

  /**
   * Parses the name of a GPU ({@code a100}, {@code h100}, {@code h200}, {@code v100}, {@code
   * rtx4090}, {@code rtx3090}) or a number of blocks.
   *
   * @throws OptionException for anything else
   */
  public static LaunchGrid parse(String text) {
    TorchException.requireNonNull(text, "text");
    LaunchGrid known = NAMED.get(text.toLowerCase(Locale.ROOT));
    if (known != null) {
      return known;
    }
    if (text.matches("[0-9]{1,8}")) {
      return new LaunchGrid(Integer.parseInt(text));
    }
    throw new OptionException(
        "expected %s or a number of blocks, but was '%s'"
            .formatted(String.join(", ", NAMED.keySet()), text));
  }

  /** Returns the name of the GPU or, where none is known, the number: what {@link #parse} reads. */
  @Override
  public String toString() {
    return NAMED.entrySet().stream()
        .filter(e -> e.getValue().equals(this))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(Integer.toString(blocks));
  }
}
