// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** A network that remembers what it was asked. */
final class RecordingDenoiser implements Denoiser {
  /** One call: its noise level and type, whether it had labels, and the first image. */
  record Call(double sigma, DType sigmaType, boolean labelled, float[] x) {}

  private final Denoiser net;
  final List<Call> calls = new ArrayList<>();

  RecordingDenoiser(Denoiser net) {
    this.net = net;
  }

  @Override
  public Tensor denoise(Tensor x, Tensor sigma, @Nullable Tensor labels) {
    try (var scope = TensorScope.open()) {
      float[] first = Shapes.narrow(x, 0, 0, 1).toFloats();
      calls.add(new Call(sigma.item(), sigma.dtype(), labels != null, first));
      return scope.keep(net.denoise(x, sigma, labels));
    }
  }

  @Override
  public int resolution() {
    return net.resolution();
  }

  @Override
  public int channels() {
    return net.channels();
  }

  @Override
  public int labelDim() {
    return net.labelDim();
  }

  @Override
  public double sigmaMin() {
    return net.sigmaMin();
  }

  @Override
  public double sigmaMax() {
    return net.sigmaMax();
  }

  @Override
  public double roundSigma(double sigma) {
    return net.roundSigma(sigma);
  }
}
