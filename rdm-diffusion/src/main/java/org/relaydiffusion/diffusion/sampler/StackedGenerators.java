// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.LaunchGrid;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * One generator per image, so that the noise of an image does not depend on its batch: the
 * generator of image k is seeded with its seed mod 2^32, and all of its random numbers are drawn
 * from it in order. Which numbers a seed gives is up to the {@link Noise}.
 *
 * <p>Not thread-safe. {@link #close()} frees the generators. Tensors returned by the methods belong
 * to the current scope.
 */
public final class StackedGenerators implements AutoCloseable {
  private final List<Generator> generators;
  private final Noise noise;
  private final Device device;

  /** For numbers that are drawn on the CPU and used on CUDA; otherwise null. */
  private final @Nullable DrawsAhead ahead;

  private StackedGenerators(Noise noise, Device device, List<Generator> generators) {
    this.noise = noise;
    this.device = device;
    this.generators = generators;
    boolean isCopied = device.type() == Device.Type.CUDA && !(noise instanceof Noise.OfCuda);
    ahead = isCopied && !generators.isEmpty() ? new DrawsAhead(generators, device) : null;
  }

  /** Creates the CPU's generators for a batch on the CPU. */
  public static StackedGenerators of(long... seeds) {
    return of(Device.CPU, seeds);
  }

  /** Creates the CPU's generators for a batch; their numbers are copied to {@code device}. */
  public static StackedGenerators of(Device device, long... seeds) {
    return of(Noise.CPU, device, seeds);
  }

  /**
   * Creates the generators of a batch; seeds that are equal mod 2^32 give equal noise.
   *
   * @param noise where the numbers come from
   * @param device where they are used
   * @param seeds one per image
   * @throws org.relaydiffusion.OptionException if the device cannot be used
   */
  public static StackedGenerators of(Noise noise, Device device, long... seeds) {
    Noise source = noise.on(device);
    List<Generator> generators = new ArrayList<>(seeds.length);
    try {
      for (long seed : seeds) {
        generators.add(generator(source, device, seed));
      }
      return new StackedGenerators(source, device, generators);
    } catch (RuntimeException e) {
      generators.forEach(Generator::close);
      throw e;
    }
  }

  /** Creates the generator of one image. */
  static Generator generator(Noise noise, Device device, long seed) {
    long low = seed & 0xffff_ffffL;
    return switch (noise.on(device)) {
      case Noise.OfDevice() -> throw new IllegalStateException("on() selects another");
      case Noise.OfCpu() -> Generator.seeded(low);
      case Noise.OfCuda() -> Generator.seeded(low, device);
      case Noise.OfGpu(LaunchGrid grid) -> Generator.philox(low, grid);
    };
  }

  /** Returns N, the number of images. */
  public int size() {
    return generators.size();
  }

  /**
   * Draws standard normal numbers, one block per image.
   *
   * @param dtype of the result
   * @param sizes the shape per image, such as [C, H, W]
   * @return [N, sizes...]
   */
  public Tensor randn(DType dtype, long... sizes) {
    if (ahead != null) {
      return ahead.randn(dtype, sizes);
    }
    // One call for all images, whose numbers are computed on all threads.
    return noise instanceof Noise.OfGpu ? filled(dtype, sizes) : stack(g -> g.randn(dtype, sizes));
  }

  /** Draws standard normal numbers in the shape of a batch [N, ...], with a dtype of its own. */
  public Tensor randnLike(Tensor batch, DType dtype) {
    long[] shape = batch.shape();
    return randn(dtype, Arrays.copyOfRange(shape, 1, shape.length));
  }

  /** Draws uniform integers from [0, high), one block per image: int64 [N, sizes...]. */
  public Tensor randint(long high, long... sizes) {
    if (ahead != null) {
      ahead.discard();
    }
    return stack(g -> g.randint(high, sizes));
  }

  private Tensor filled(DType dtype, long... sizes) {
    if (generators.isEmpty()) {
      return Torch.empty(dtype, device, DrawsAhead.batchOf(0, sizes));
    }
    Tensor batch = Torch.empty(dtype, Device.CPU, DrawsAhead.batchOf(generators.size(), sizes));
    try {
      Generator.fillNormal(generators, batch);
      return batch;
    } catch (RuntimeException e) {
      batch.close();
      throw e;
    }
  }

  private Tensor stack(Function<Generator, Tensor> draw) {
    try (var scope = TensorScope.open()) {
      List<Tensor> drawn = generators.stream().map(draw).toList();
      // One image needs no copy.
      Tensor batch =
          drawn.size() == 1
              ? drawn.getFirst().reshape(DrawsAhead.batchOf(1, drawn.getFirst().shape()))
              : Torch.stack(drawn, 0);
      return scope.keep(batch.to(device));
    }
  }

  @Override
  public void close() {
    if (ahead != null) {
      ahead.close();
    }
    generators.forEach(Generator::close);
    generators.clear();
  }
}
