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
 * One generator an image, so that an image's noise does not depend on its batch: image k's
 * generator is seeded with seed mod 2^32 and all of its draws come from it in order. It draws on
 * the CPU for every device, so a seed means the same noise everywhere.
 *
 * <p>One thread uses it at a time. {@link #close()} gives the generators back.
 */
public final class StackedGenerators implements AutoCloseable {
  private final List<Generator> generators = new ArrayList<>();
  private final Device device;

  private StackedGenerators(Device device) {
    this.device = device;
  }

  /** Generators for a batch; seeds that are equal mod 2^32 give equal noise. */
  public static StackedGenerators of(long... seeds) {
    return of(Device.CPU, seeds);
  }

  /** As {@link #of(long...)}, with the draws moved to {@code device}. */
  public static StackedGenerators of(Device device, long... seeds) {
    StackedGenerators stacked = new StackedGenerators(device);
    for (long seed : seeds) {
      stacked.generators.add(Generator.seeded(seed & 0xffff_ffffL));
    }
    return stacked;
  }

  /** N: how many images. */
  public int size() {
    return generators.size();
  }

  /**
   * Standard normal draws, one block an image.
   *
   * @param sizes what each image draws, e.g. [C, H, W]
   * @return [N, sizes...]
   */
  public Tensor randn(DType dtype, long... sizes) {
    return stack(g -> g.randn(dtype, sizes));
  }

  /** Standard normal draws in the shape of a batch [N, ...], in another type if one likes. */
  public Tensor randnLike(Tensor batch, DType dtype) {
    long[] shape = batch.shape();
    return randn(dtype, Arrays.copyOfRange(shape, 1, shape.length));
  }

  /** Uniform integers from [0, high), one block an image: int64 [N, sizes...]. */
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
