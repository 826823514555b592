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
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Inception-v3 with its published values, from images of any size to the features that metrics
 * compare. Several threads may ask for features at once; {@link #close()} waits for them, frees the
 * values, and is final.
 */
public final class Inception implements FeatureExtractor, AutoCloseable {
  private static final int RGB = 3;
  private static final String OUTPUT = "output.";

  /**
   * How many images a CPU looks at together, however many come: enough for long inner loops, few
   * enough for its caches.
   */
  private static final int CHUNK = 8;

  private final InceptionV3 network;
  private final LoadOptions options;
  private final ModuleFile file;
  private final String sha256;

  private final UseLock use = new UseLock();

  private Inception(InceptionV3 network, LoadOptions options, ModuleFile file, String sha256) {
    this.network = network;
    this.options = options;
    this.file = file;
    this.sha256 = sha256;
  }

  /**
   * Opens a converted file: see {@link InceptionWeights#locate} and {@link InceptionConverter}.
   *
   * @param options how to compute. {@link org.relaydiffusion.model.Numerics#EXACT} takes the
   *     published operations one by one, {@link org.relaydiffusion.model.Numerics#FAST} folds and
   *     packs weights; their features agree to 1e-4 of the largest. On CUDA, either ends the use of
   *     TensorFloat-32 in the process
   * @throws OptionException when the type is not float32, or the device cannot be used
   * @throws org.relaydiffusion.FileException when the file is not a converted one
   */
  public static Inception open(Path weights, LoadOptions options) {
    return open(weights, options, Widths.PUBLISHED);
  }

  /** As {@link #open(Path, LoadOptions)}, of a network with other numbers of channels. */
  static Inception open(Path weights, LoadOptions options, Widths widths) {
    check(options);
    ModuleFile file = InceptionWeights.open(weights);
    InceptionV3 network = new InceptionV3(widths);
    try {
      InceptionState.checkPublished(file, network);
      load(network, file);
      Layer.Path path = path(options);
      network.prepare(path, options.device(), CHUNK);
      String sha256 = file.valuesSha256();
      if (path != Layer.Path.EXACT || options.device().type() != Device.Type.CPU) {
        // What is packed or moved is not needed where it came from. After the sum, which reads it.
        file.tensors().values().forEach(tensor -> tensor.data().unload());
      }
      return new Inception(network, options, file, sha256);
    } catch (RuntimeException e) {
      network.close();
      file.close();
      throw e;
    }
  }

  /** Values lie where the file is mapped until something better is made of them. */
  private static void load(InceptionV3 network, ModuleFile file) {
    network
        .state()
        .forEach((name, parameter) -> {
          Tensor mapped = Torch.fromData(Objects.requireNonNull(file.tensors().get(name)).data());
          if (name.startsWith(OUTPUT)) {
            // Handed out, so that it may be in use when the file is unmapped.
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
   * Checks that features can be computed so.
   *
   * @throws OptionException when the type is not float32, or the device cannot be used
   */
  private static void check(LoadOptions options) {
    if (options.dtype() != DType.FLOAT32) {
      throw new OptionException(
          "metrics are computed in float32, not %s: they would measure the rounding as well"
              .formatted(options.dtype().torchName()));
    }
    Torch.requireUsable(options.device());
    if (options.device().type() == Device.Type.CUDA) {
      Torch.forbidTf32();
    }
  }

  /**
   * {@inheritDoc}
   *
   * @param images uint8, or float32 from 0 to 255, [N, C, H, W] with N at least 1, C 1 (grey) or 3
   *     (RGB), of any size; they are moved to the extractor's device
   * @throws ModelException when the images are not as said, or this is closed
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
    try (TensorScope scope = TensorScope.open();
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
          "Inception-v3 takes uint8 or float32 images [N, 1 or 3, H, W], not " + images);
    }
  }

  /**
   * The last layer, whose tensors stay this object's: they are freed with it.
   *
   * @throws ModelException when this is closed
   */
  public OutputLayer output() {
    return use.whileOpen(network::output);
  }

  /**
   * The SHA-256 of the values, in hexadecimal: the same for equal values, whatever file they were
   * converted from.
   */
  public String sha256() {
    return sha256;
  }

  /** How it computes. */
  public LoadOptions options() {
    return options;
  }

  /**
   * Waits for the threads that compute features, then frees every value. Closing twice is allowed.
   */
  @Override
  public void close() {
    use.close(() -> {
      network.close();
      file.close();
    });
  }
}
