package org.relaydiffusion.tests.bench;

import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** The calls that {@link OpsBenchmark} measures. JMH wants this class and its methods public. */
@BenchmarkMode(Mode.AverageTime)
public class OpsCalls {
  /** The operators in one scope: about as many as a block of a network has. */
  static final int BLOCK = 16;

  /** This binding's operands. */
  @State(Scope.Thread)
  public static class Panama {
    final Tensor a = Torch.full(1.5, DType.FLOAT32, 8);
    final Tensor b = Torch.full(0.5, DType.FLOAT32, 8);
    private final GradMode noGrad = GradMode.noGrad();

    /** Made by JMH. */
    public Panama() {}

    /** Frees the operands. */
    @TearDown
    public void close() {
      noGrad.close();
      a.close();
      b.close();
    }
  }

  /** JavaCPP's operands, in the same loaded LibTorch. */
  @State(Scope.Thread)
  public static class JavaCpp {
    final org.bytedeco.pytorch.Tensor a;
    final org.bytedeco.pytorch.Tensor b;
    private final GradMode noGrad;

    /** Made by JMH. Loading ours first decides which files are loaded. */
    public JavaCpp() {
      Torch.library();
      noGrad = GradMode.noGrad();
      a = torch.full(new long[] {8}, new org.bytedeco.pytorch.Scalar(1.5f));
      b = torch.full(new long[] {8}, new org.bytedeco.pytorch.Scalar(0.5f));
    }

    /** Checks that the operands are as the other binding's. */
    @Setup
    public void check() {
      if (a.scalar_type().intern() != torch.ScalarType.Float || a.numel() != 8) {
        throw new IllegalStateException("JavaCPP made another tensor than float32[8]");
      }
    }

    /** Frees the operands. */
    @TearDown
    public void close() {
      noGrad.close();
      a.close();
      b.close();
    }
  }

  /** Made by JMH. */
  public OpsCalls() {}

  /** A sum, freed by its scope. */
  @Benchmark
  @OperationsPerInvocation(BLOCK)
  public void addScoped(Panama s) {
    try (TensorScope _ = TensorScope.open()) {
      for (int i = 0; i < BLOCK; i++) {
        s.a.add(s.b);
      }
    }
  }

  /** A sum, freed by its owner. */
  @Benchmark
  public void addSingle(Panama s) {
    s.a.add(s.b).close();
  }

  /** A sum through JavaCPP. */
  @Benchmark
  public void addJavaCpp(JavaCpp s) {
    torch.add(s.a, s.b).close();
  }

  /** A product, freed by its scope. */
  @Benchmark
  @OperationsPerInvocation(BLOCK)
  public void mulScoped(Panama s) {
    try (TensorScope _ = TensorScope.open()) {
      for (int i = 0; i < BLOCK; i++) {
        s.a.mul(s.b);
      }
    }
  }

  /** A product, freed by its owner. */
  @Benchmark
  public void mulSingle(Panama s) {
    s.a.mul(s.b).close();
  }

  /** A product through JavaCPP. */
  @Benchmark
  public void mulJavaCpp(JavaCpp s) {
    torch.mul(s.a, s.b).close();
  }

  /** An activation, freed by its scope. */
  @Benchmark
  @OperationsPerInvocation(BLOCK)
  public void siluScoped(Panama s) {
    try (TensorScope _ = TensorScope.open()) {
      for (int i = 0; i < BLOCK; i++) {
        s.a.silu();
      }
    }
  }

  /** An activation, freed by its owner. */
  @Benchmark
  public void siluSingle(Panama s) {
    s.a.silu().close();
  }

  /** An activation through JavaCPP. */
  @Benchmark
  public void siluJavaCpp(JavaCpp s) {
    torch.silu(s.a).close();
  }
}
