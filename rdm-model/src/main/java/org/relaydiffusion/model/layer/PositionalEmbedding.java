// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Cosines and sines at frequencies 10000^-(i / (C/2 - e)); e = 1 when the endpoint counts. */
public final class PositionalEmbedding extends Layer implements TimeEmbedding {
  private static final double MAX_POSITIONS = 10000;

  private final int channels;
  private final Endpoint endpoint;

  /** Where the network computes; none before it is told where. */
  private @Nullable Tensor frequencies;

  /** Whether the last frequency is exactly 1 / 10000. */
  public enum Endpoint {
    /** It is: SongUNet. */
    INCLUDED,
    /** It is not: DhariwalUNet. */
    EXCLUDED
  }

  /** Makes an embedding with {@code channels} features. */
  public PositionalEmbedding(int channels, Endpoint endpoint) {
    this.channels = channels;
    this.endpoint = endpoint;
  }

  @Override
  protected void prepared() {
    free();
    try (TensorScope _ = TensorScope.open()) {
      frequencies = made().to(execution().device()).release();
    }
  }

  @Override
  public Tensor forward(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor known = frequencies == null ? made() : frequencies;
      return observed(scope.keep(cosSin(x, known.to(x.device()).to(x.dtype()))));
    }
  }

  /** Float32 [C / 2] on the CPU, whose powers are the reference's. */
  private Tensor made() {
    int half = channels / 2;
    try (TensorScope scope = TensorScope.open()) {
      Tensor exponents =
          Torch.arange(half, DType.FLOAT32).div(half - (endpoint == Endpoint.INCLUDED ? 1 : 0));
      return scope.keep(Pointwise.pow(Torch.full(1 / MAX_POSITIONS, DType.FLOAT32), exponents));
    }
  }

  static Tensor cosSin(Tensor x, Tensor frequencies) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor angles = Shapes.unsqueeze(x, 1).mul(Shapes.unsqueeze(frequencies, 0));
      return scope.keep(Shapes.cat(List.of(Pointwise.cos(angles), Pointwise.sin(angles)), 1));
    }
  }

  private void free() {
    if (frequencies != null) {
      frequencies.close();
      frequencies = null;
    }
  }

  @Override
  public void close() {
    super.close();
    free();
  }
}
