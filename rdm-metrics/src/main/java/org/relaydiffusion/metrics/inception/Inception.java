// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.ModuleFile;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.model.UseLock;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.DeviceGuard;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Inception-v3 with its published weights, which computes features from images of any size. Several
 * threads may compute features concurrently; {@link #close()} waits for them and frees the weights.
 */
public final class Inception implements FeatureExtractor, AutoCloseable {
  private static final int RGB = 3;
  private static final String OUTPUT = "output.";

  /**
   * The maximum batch size on a CPU: large enough for long inner loops, small enough for its
   * caches.
   */
  private static final int CHUNK = 8;

  private final InceptionV3 network;
  private final LoadOptions options;
  private final ModuleFile file;
  private final String sha256;

  /** Held for reading while the weights are used, and for writing by {@link #close()}. */
  private final UseLock use = new UseLock();

  private Inception(InceptionV3 network, LoadOptions options, ModuleFile file, String sha256) {
    this.network = network;
    this.options = options;
    this.file = file;
    this.sha256 = sha256;
  }

  /**
   * Opens a converted file, see {@link InceptionWeights#locate} and {@link InceptionConverter}.
   *
   * @param weights the converted file
   * @param options how to compute. {@link org.relaydiffusion.model.Numerics#EXACT} performs the
   *     published operations one by one, {@link org.relaydiffusion.model.Numerics#FAST} folds and
   *     packs weights; their features agree to 1e-4 of the largest. On CUDA that holds without
   *     TensorFloat-32 only, see {@link org.relaydiffusion.torch.CudaPrecision}
   * @return the network, which the caller closes
   * @throws OptionException if the dtype is not float32, or the device cannot be used
   * @throws org.relaydiffusion.FileException if the file is not a converted one
   */
  public static Inception open(Path weights, LoadOptions options) {
    return open(weights, options, Widths.PUBLISHED);
  }

  /** Opens a network as {@link #open(Path, LoadOptions)}, with other numbers of channels. */
  static Inception open(Path weights, LoadOptions options, Widths widths) {
    check(options);
    ModuleFile file = InceptionWeights.open(weights);
    InceptionV3 network = new InceptionV3(widths);
    try (DeviceGuard _ = DeviceGuard.on(options.device())) {
      InceptionState.checkPublished(file, network);
      load(network, file);
      Layer.Path path = path(options);
      network.prepare(path, options.device(), CHUNK);
      String sha256 = file.valuesSha256();
      if (path != Layer.Path.EXACT || options.device().type() != Device.Type.CPU) {
        // Weights that were packed or copied are no longer needed in the file, after the checksum
        // has read them.
        file.tensors().values().forEach(tensor -> tensor.data().unload());
      }
      return new Inception(network, options, file, sha256);
    } catch (RuntimeException e) {
      network.close();
      file.close();
      throw e;
    }
  }

  /** Weights stay in the mapped file until they are packed. */
  private static void load(InceptionV3 network, ModuleFile file) {
    network
        .state()
        .forEach((name, parameter) -> {
          Tensor mapped = Torch.fromData(Objects.requireNonNull(file.tensors().get(name)).data());
          if (name.startsWith(OUTPUT)) {
            // It was returned to callers, so it may be in use when the file is unmapped.
            try (mapped) {
              parameter.set(Shapes.copy(mapped));
            }
          } else {
            parameter.set(mapped);
          }
        });
  }

  private static Layer.Path path(LoadOptions options) {
    return switch (options.numerics()) {
      case EXACT -> Layer.Path.EXACT;
      case FAST ->
          options.device().type() == Device.Type.CPU ? Layer.Path.PACKED : Layer.Path.FOLDED;
    };
  }

  /**
   * Checks that features can be computed with these options.
   *
   * @throws OptionException if the dtype is not float32, or the device cannot be used
   */
  private static void check(LoadOptions options) {
    if (options.dtype() != DType.FLOAT32) {
      throw new OptionException(
          "metrics require float32, but found %s, whose rounding would affect the result"
              .formatted(options.dtype().torchName()));
    }
    Torch.requireUsable(options.device());
  }

  /**
   * {@inheritDoc}
   *
   * @param images uint8, or float32 from 0 to 255, [N, C, H, W] with N at least 1, C 1 (grey) or 3
   *     (RGB), of any size; they are moved to the extractor's device
   * @throws ModelException if the images are not as said, or this is closed
   */
  @Override
  public InceptionFeatures features(Tensor images) {
    check(images);
    return use.whileOpen(() -> computed(images));
  }

  private InceptionFeatures computed(Tensor images) {
    long n = images.size(0);
    long chunk = options.device().type() == Device.Type.CPU ? CHUNK : n;
    List<Tensor> pool = new ArrayList<>();
    List<Tensor> spatial = new ArrayList<>();
    try (DeviceGuard _ = DeviceGuard.on(options.device());
        TensorScope scope = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      for (long at = 0; at < n; at += chunk) {
        InceptionFeatures features = ofChunk(Shapes.narrow(images, 0, at, Math.min(chunk, n - at)));
        pool.add(features.pool());
        spatial.add(features.spatial());
      }
      return new InceptionFeatures(
          scope.keep(Shapes.cat(pool, 0)), scope.keep(Shapes.cat(spatial, 0)));
    }
  }

  private InceptionFeatures ofChunk(Tensor images) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor x = images.to(options.device()).to(DType.FLOAT32);
      if (x.size(1) != RGB) {
        x = Shapes.repeat(x, 1, RGB, 1, 1);
      }
      InceptionFeatures features = network.forward(TfResize.apply(x));
      return new InceptionFeatures(scope.keep(features.pool()), scope.keep(features.spatial()));
    }
  }

  private static void check(Tensor images) {
    boolean fits =
        images.rank() == 4
            && (images.dtype() == DType.UINT8 || images.dtype() == DType.FLOAT32)
            && (images.size(1) == 1 || images.size(1) == RGB)
            && images.numel() > 0;
    if (!fits) {
      throw new ModelException(
          "Inception-v3 takes uint8 or float32 images [N, 1 or 3, H, W], not " + images.describe());
    }
  }

  /**
   * Returns the last layer, whose tensors remain owned by this object: they are freed with it.
   *
   * @throws ModelException if this object is closed
   */
  public OutputLayer output() {
    return use.whileOpen(network::output);
  }

  /**
   * Returns the SHA-256 of the weights, in hexadecimal: the same for equal weights, regardless of
   * the file they were converted from.
   */
  public String sha256() {
    return sha256;
  }

  /** Returns the options of the computation. */
  public LoadOptions options() {
    return options;
  }

  /**
   * Waits for the threads that compute features, then frees the weights. Closing twice has no
   * effect.
   */
  @Override
  public void close() {
    use.close(() -> {
      network.close();
      file.close();
    });
  }
}
