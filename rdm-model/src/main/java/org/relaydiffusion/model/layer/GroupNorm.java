package org.relaydiffusion.model.layer;

import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/** Group normalisation with min(32, channels / 4) groups. */
public final class GroupNorm extends Module {
  private static final int MAX_GROUPS = 32;
  private static final int MIN_CHANNELS_PER_GROUP = 4;

  private final int groups;
  private final double eps;
  private final Parameter weight;
  private final Parameter bias;

  /**
   * Makes the layer.
   *
   * @param channels of its input
   * @param eps added to the variance
   * @throws ModelException when the groups do not divide the channels
   */
  public GroupNorm(int channels, double eps) {
    this.groups = Math.min(MAX_GROUPS, channels / MIN_CHANNELS_PER_GROUP);
    if (groups == 0 || channels % groups != 0) {
      throw new ModelException(
          "%d channels cannot be normalised in %d equal groups".formatted(channels, groups));
    }
    this.eps = eps;
    this.weight = parameter("weight", WeightInit.ones(), channels);
    this.bias = parameter("bias", WeightInit.zeros(), channels);
  }

  /** [N, C, H, W] to the same. */
  public Tensor forward(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor w = weight.value().to(x.dtype());
      Tensor b = bias.value().to(x.dtype());
      return observed(scope.keep(Functional.groupNorm(x, groups, w, b, eps)));
    }
  }
}
