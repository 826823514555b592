// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * One generator per image, so that the noise of an image does not depend on its batch: the
 * generator of image k is seeded with its seed mod 2^32, and all of its random numbers are drawn
 * from it in order. Numbers are drawn on the CPU for every device, so a seed always gives the same
 * noise.
 *
 * <p>Not thread-safe. {@link #close()} frees the generators. Tensors returned by the methods belong
 * to the current scope.
 */
public final class StackedGenerators implements AutoCloseable {
  private final List<Generator> generators = new ArrayList<>();
  private final Device device;

  private StackedGenerators(Device device) {
    this.device = device;
  }

  /** Creates the generators of a batch; seeds that are equal mod 2^32 give equal noise. */
  public static StackedGenerators of(long... seeds) {
    return of(Device.CPU, seeds);
  }

  /** Creates generators as {@link #of(long...)}, whose numbers are copied to {@code device}. */
  public static StackedGenerators of(Device device, long... seeds) {
    StackedGenerators stacked = new StackedGenerators(device);
    for (long seed : seeds) {
      stacked.generators.add(Generator.seeded(seed & 0xffff_ffffL));
    }
    return stacked;
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
    return stack(g -> g.randn(dtype, sizes));
  }

  /** Draws standard normal numbers in the shape of a batch [N, ...], with a dtype of its own. */
  public Tensor randnLike(Tensor batch, DType dtype) {
    long[] shape = batch.shape();
    return randn(dtype, Arrays.copyOfRange(shape, 1, shape.length));
  }

  /** Draws uniform integers from [0, high), one block per image: int64 [N, sizes...]. */
  public Tensor randint(long high, long... sizes) {
    return stack(g -> g.randint(high, sizes));
  }

  private Tensor stack(Function<Generator, Tensor> draw) {
    try (var scope = TensorScope.open()) {
      List<Tensor> drawn = generators.stream().map(draw).toList();
      return scope.keep(Torch.stack(drawn, 0).to(device));
    }
  }

  @Override
  public void close() {
    generators.forEach(Generator::close);
    generators.clear();
  }
}
