// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.diffusion.Preset;

/** The values that shell completion offers for options. */
public final class Candidates {
  private Candidates() {}

  /** For {@code --dtype}: the types that networks compute in. */
  public static final class Types extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Types() {
      super(List.of("float32", "bfloat16", "float16"));
    }
  }

  /** For {@code --dtype} with the checkpoint's own as an additional choice. */
  public static final class TypesOrAuto extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public TypesOrAuto() {
      super(List.of("auto", "float32", "bfloat16", "float16"));
    }
  }

  /** For {@code --numerics}. */
  public static final class NumericsNames extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public NumericsNames() {
      super(List.of("exact", "fast"));
    }
  }

  /** For {@code --cuda-graphs}. */
  public static final class GraphChoices extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public GraphChoices() {
      super(List.of("auto", "on", "off"));
    }
  }

  /** For options that are switched on or off. */
  public static final class Switches extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Switches() {
      super(List.of("on", "off"));
    }
  }

  /** For {@code --sampler_stages}. */
  public static final class StageNames extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public StageNames() {
      super(List.of("both", "first", "second", "third", "first-second", "second-third"));
    }
  }

  /** For {@code --preset}. */
  public static final class Presets extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Presets() {
      super(Arrays.stream(Preset.values()).map(Preset::script).toList());
    }
  }

  /** For {@code --which}. */
  public static final class NetworkKeys extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public NetworkKeys() {
      super(List.of("ema", "net"));
    }
  }

  /** For {@code --transform}. */
  public static final class Crops extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Crops() {
      super(List.of("none", "center-crop", "center-crop-wide"));
    }
  }

  /** For {@code --bad-images}. */
  public static final class BadImagesNames extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public BadImagesNames() {
      super(List.of("fail", "skip", "list"));
    }
  }

  /** For {@code --split}. */
  public static final class Splits extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Splits() {
      super(List.of("train", "test"));
    }
  }

  /** For {@code --device}. */
  public static final class Devices extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Devices() {
      super(List.of("auto", "cpu", "cuda"));
    }
  }

  /** For {@code --noise}. */
  public static final class Noises extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Noises() {
      super(
          List.of(
              "auto",
              "cpu",
              "cuda",
              "cuda:a100",
              "cuda:h100",
              "cuda:v100",
              "cuda:rtx4090",
              "cuda:rtx3090"));
    }
  }

  /** For {@code --nproc_per_node}. */
  public static final class Processes extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Processes() {
      super(List.of("auto", "cpu", "gpu"));
    }
  }

  /** For {@code --arch}. */
  public static final class Architectures extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Architectures() {
      super(List.of("ddpmpp", "ncsnpp", "adm"));
    }
  }

  /** For {@code --precond}. */
  public static final class Preconditionings extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Preconditionings() {
      super(List.of("vp", "ve", "edm", "blur"));
    }
  }

  /** For {@code --snap-format}. */
  public static final class SnapshotFormats extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public SnapshotFormats() {
      super(List.of("safetensors", "pkl", "both"));
    }
  }

  /** For {@code --metrics}. */
  public static final class Metrics extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Metrics() {
      super(List.of("fid", "sfid", "is", "pr"));
    }
  }

  /** For {@code --is-bias}. */
  public static final class Biases extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public Biases() {
      super(List.of("with", "adm"));
    }
  }

  /** For {@code --spatial-order}. */
  public static final class SpatialOrders extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public SpatialOrders() {
      super(List.of("channels", "positions"));
    }
  }
}
