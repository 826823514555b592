package org.relaydiffusion.launch.command;

import java.util.ArrayList;
import java.util.List;

/** What the shell's completion offers as values of options. */
final class Candidates {
  private Candidates() {}

  /** For {@code --dtype}: the types that networks compute in. */
  static final class Types extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Types() {
      super(List.of("float32", "bfloat16", "float16"));
    }
  }

  /** For {@code --numerics}. */
  static final class NumericsNames extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    NumericsNames() {
      super(List.of("exact", "fast"));
    }
  }

  /** For {@code --sampler_stages}. */
  static final class StageNames extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    StageNames() {
      super(List.of("both", "first", "second"));
    }
  }

  /** For {@code --which}. */
  static final class NetworkKeys extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    NetworkKeys() {
      super(List.of("ema", "net"));
    }
  }

  /** For {@code --transform}. */
  static final class Crops extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Crops() {
      super(List.of("none", "center-crop", "center-crop-wide"));
    }
  }

  /** For {@code --device}. */
  static final class Devices extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Devices() {
      super(List.of("cpu", "cuda"));
    }
  }

  /** For {@code --nproc_per_node}. */
  static final class Processes extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Processes() {
      super(List.of("auto", "cpu", "gpu"));
    }
  }

  /** For {@code --arch}. */
  static final class Architectures extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Architectures() {
      super(List.of("ddpmpp", "ncsnpp", "adm"));
    }
  }

  /** For {@code --precond}. */
  static final class Preconditionings extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Preconditionings() {
      super(List.of("vp", "ve", "edm", "blur"));
    }
  }

  /** For {@code --snap-format}. */
  static final class SnapshotFormats extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    SnapshotFormats() {
      super(List.of("safetensors", "pkl", "both"));
    }
  }

  /** For {@code --metrics}. */
  static final class Metrics extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Metrics() {
      super(List.of("fid", "sfid", "is", "pr"));
    }
  }

  /** For {@code --is-bias}. */
  static final class Biases extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Biases() {
      super(List.of("with", "adm"));
    }
  }

  /** For {@code --spatial-order}. */
  static final class SpatialOrders extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    SpatialOrders() {
      super(List.of("channels", "positions"));
    }
  }
}
