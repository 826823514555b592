package org.relaydiffusion.model;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.Printable;
import org.relaydiffusion.model.unet.UNetConfig;

/**
 * What a preconditioned network is, as the reference's constructors name it.
 *
 * @param preconditioning how F becomes D
 * @param resolution width and height of the images
 * @param channels of the images
 * @param labelDim classes; 0 for an unconditional network
 * @param sigmaMin the smallest noise level, where it is a setting
 * @param sigmaMax the largest noise level, where it is a setting
 * @param sigmaData the data's standard deviation (EDM)
 * @param schedule the constants of VP and iDDPM
 * @param network the U-Net
 */
public record ModelConfig(
    Preconditioning preconditioning,
    int resolution,
    int channels,
    int labelDim,
    double sigmaMin,
    double sigmaMax,
    double sigmaData,
    Schedule schedule,
    UNetConfig network) {
  private static final int MAX_RESOLUTION = 4096;
  private static final int MAX_WIDTH = 1 << 16;
  private static final int MAX_LEVELS = 12;
  private static final int MAX_BLOCKS = 64;

  /** The four preconditioners (EDM, arXiv 2206.00364, table 1). */
  public enum Preconditioning {
    /** EDM's own. */
    EDM("EDMPrecond"),
    /** Variance preserving. */
    VP("VPPrecond"),
    /** Variance exploding. */
    VE("VEPrecond"),
    /** Improved DDPM. */
    IDDPM("iDDPMPrecond");

    private final String className;

    Preconditioning(String className) {
      this.className = className;
    }

    /** The reference's class. */
    public String className() {
      return className;
    }
  }

  /**
   * Constants of two preconditioners.
   *
   * @param betaD VP's slope of beta
   * @param betaMin VP's beta at 0
   * @param epsilonT VP's smallest time
   * @param c1 iDDPM's clip
   * @param c2 iDDPM's offset
   * @param steps M, the number of discrete steps
   */
  public record Schedule(
      double betaD, double betaMin, double epsilonT, double c1, double c2, int steps) {}

  /**
   * Reads a reference constructor's keyword arguments.
   *
   * @param className e.g. {@code EDMPrecond}
   * @param initKwargs numbers, booleans, strings and lists by name
   * @throws ModelException naming the setting that is unknown, mistyped or out of range
   */
  public static ModelConfig of(String className, Map<String, ?> initKwargs) {
    Preconditioning kind =
        Arrays.stream(Preconditioning.values())
            .filter(p -> p.className.equals(className))
            .findFirst()
            .orElseThrow(() ->
                new ModelException(
                    "unknown network class '%s': EDMPrecond, VPPrecond, VEPrecond and"
                            .formatted(Printable.of(className))
                        + " iDDPMPrecond are known"));
    Kwargs k = new Kwargs(className, initKwargs);
    int resolution = k.integer("img_resolution", null, 1, MAX_RESOLUTION);
    int channels = k.integer("img_channels", null, 1, MAX_WIDTH);
    int labelDim = k.integer("label_dim", 0, 0, 1 << 20);
    // Half precision is chosen at load time; the file's wish says nothing about its weights.
    k.ignore("use_fp16");
    double infinity = Double.POSITIVE_INFINITY;
    boolean ve = kind == Preconditioning.VE;
    double sigmaMin = k.real("sigma_min", ve ? 0.02 : 0, 0, infinity);
    double sigmaMax = k.real("sigma_max", ve ? 100 : infinity, sigmaMin, infinity);
    double sigmaData = k.real("sigma_data", 0.5, 1e-6, 1e6);
    Schedule schedule =
        new Schedule(
            k.real("beta_d", 19.9, 0, 1e6),
            k.real("beta_min", 0.1, 0, 1e6),
            k.real("epsilon_t", 1e-5, 0, 1),
            k.real("C_1", 0.001, 0, 1),
            k.real("C_2", 0.008, 0, 1),
            k.integer("M", 1000, 2, 1 << 20));
    boolean iddpm = kind == Preconditioning.IDDPM;
    UNetConfig network =
        network(
            k,
            defaultNetwork(kind),
            resolution,
            channels,
            iddpm ? 2 * channels : channels,
            labelDim);
    k.refuseRest();
    return new ModelConfig(
        kind, resolution, channels, labelDim, sigmaMin, sigmaMax, sigmaData, schedule, network);
  }

  private static String defaultNetwork(Preconditioning kind) {
    return switch (kind) {
      case EDM, IDDPM -> "DhariwalUNet";
      case VP, VE -> "SongUNet";
    };
  }

  private static UNetConfig network(
      Kwargs k, String defaultType, int resolution, int in, int out, int labelDim) {
    String type = k.choice("model_type", defaultType, "DhariwalUNet", "SongUNet");
    boolean song = type.equals("SongUNet");
    List<Integer> mult =
        k.integers(
            "channel_mult", song ? List.of(1, 2, 2, 2) : List.of(1, 2, 3, 4), 1, 256, MAX_LEVELS);
    int multiple = 1 << Math.max(0, mult.size() - 1);
    if (mult.isEmpty() || resolution % multiple != 0) {
      throw new ModelException(
          "channel_mult has %s levels, so the side of an image must be a multiple of %s, not %s"
              .formatted(mult.size(), multiple, resolution));
    }
    int width = k.integer("model_channels", song ? 128 : 192, 1, MAX_WIDTH);
    if (width % 2 != 0 || width < 4) {
      // Half of the noise features are cosines, half sines.
      throw new ModelException("model_channels must be even and at least 4, not " + width);
    }
    for (int m : mult) {
      if ((long) width * m > MAX_WIDTH || width * m < 4) {
        throw new ModelException(
            "model_channels %s times %s is not a width from 4 to %s"
                .formatted(width, m, MAX_WIDTH));
      }
    }
    return new UNetConfig(
        song ? UNetConfig.Architecture.SONG : UNetConfig.Architecture.DHARIWAL,
        resolution,
        in,
        out,
        labelDim,
        k.integer("augment_dim", 0, 0, 1 << 12),
        width,
        mult,
        k.integer("channel_mult_emb", 4, 1, 64),
        song ? k.integer("channel_mult_noise", 1, 1, 64) : 1,
        k.integer("num_blocks", song ? 4 : 3, 0, MAX_BLOCKS),
        k.integers(
            "attn_resolutions", song ? List.of(16) : List.of(32, 16, 8), 1, MAX_RESOLUTION, 64),
        k.real("dropout", 0.10, 0, 1),
        k.real("label_dropout", 0, 0, 1),
        song && k.choice("embedding_type", "positional", "positional", "fourier").equals("fourier")
            ? UNetConfig.Embedding.FOURIER
            : UNetConfig.Embedding.POSITIONAL,
        song
            ? path(k.choice("encoder_type", "standard", "standard", "skip", "residual"))
            : UNetConfig.Path.STANDARD,
        song
            ? path(k.choice("decoder_type", "standard", "standard", "skip"))
            : UNetConfig.Path.STANDARD,
        song ? k.integers("resample_filter", List.of(1, 1), 1, 1 << 10, 32) : List.of(1, 1),
        k.flag("eff_attn"));
  }

  private static UNetConfig.Path path(String name) {
    return switch (name) {
      case "skip" -> UNetConfig.Path.SKIP;
      case "residual" -> UNetConfig.Path.RESIDUAL;
      default -> UNetConfig.Path.STANDARD;
    };
  }
}
