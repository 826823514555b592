// SPDX-License-Identifier: Apache-2.0
package org.example.mlp;

import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Operator;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.optim.Adam;
import org.relaydiffusion.torch.optim.AdamOptions;

/**
 * Teaches a small network the product of two numbers, and calls an operator that the binding has no
 * method for. Its argument says which path Java found it on; anything unexpected ends it with an
 * exception.
 */
public final class Main {
  private static final int POINTS = 256;
  private static final int STEPS = 400;

  /** {@code torch.logcumsumexp}: log(exp(x_0) + ... + exp(x_i)) for each i along an axis. */
  private static final Operator LOGCUMSUMEXP =
      Operator.of("aten::logcumsumexp(Tensor self, int dim) -> Tensor");

  private Main() {}

  /** Runs it: {@code class-path} or {@code module-path}. */
  public static void main(String[] args) {
    require(
        Main.class.getModule().isNamed() == args[0].equals("module-path"),
        "this is " + Main.class.getModule() + ", which is not on the " + args[0]);
    train();
    callAnUnwrappedOperator();
    require(Tensor.liveCount() == 0, Tensor.liveCount() + " tensors are left");
    System.out.println(args[0] + ": trained, called and closed");
  }

  private static void train() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(1);
        Mlp network = new Mlp(2, 32, 1)) {
      network.initialize(generator);
      network.parameters().forEach(p -> p.value().requiresGrad(true));
      Tensor x = generator.rand(DType.FLOAT32, POINTS, 2).mul(2).add(-1);
      float[] values = x.toFloats();
      float[] products = new float[POINTS];
      for (int i = 0; i < POINTS; i++) {
        products[i] = values[2 * i] * values[2 * i + 1];
      }
      Tensor y = Torch.tensor(products, POINTS, 1);
      double first = Double.NaN;
      double last = Double.NaN;
      try (Adam adam = new Adam(network.parameters(), AdamOptions.DEFAULT)) {
        for (int step = 0; step < STEPS; step++) {
          try (TensorScope _ = TensorScope.open()) {
            Tensor error = Pointwise.square(network.forward(x).sub(y));
            Tensor loss = Reduction.mean(error, KeepDim.NO, 0, 1);
            loss.backward();
            adam.step(0.01);
            adam.clearGradients();
            last = loss.item();
            first = step == 0 ? last : first;
          }
        }
      }
      System.out.println("loss " + first + " -> " + last);
      require(last < 0.01 * first, "the network has not learned");
    }
  }

  private static void callAnUnwrappedOperator() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor x = Torch.tensor(new double[] {0, 0, 0}, 3);
      double[] y = LOGCUMSUMEXP.call().arg(x).arg(0L).tensor().toDoubles();
      System.out.println("logcumsumexp of three zeros: " + y[0] + ", " + y[1] + ", " + y[2]);
      for (int i = 0; i < y.length; i++) {
        require(Math.abs(y[i] - Math.log(i + 1.0)) < 1e-12, "logcumsumexp gave " + y[i]);
      }
    }
  }

  private static void require(boolean condition, String otherwise) {
    if (!condition) {
      throw new IllegalStateException(otherwise);
    }
  }
}
