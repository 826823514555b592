// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The network to train. */
public sealed interface TrainingNetwork {
  /** Returns the class of the preconditioner, such as {@code EDMPrecond}. */
  String className();

  /**
   * Returns the arguments of the preconditioner, without those determined by the data set ({@code
   * img_resolution}, {@code img_channels}, {@code label_dim}).
   *
   * @param resolution of the data set
   */
  Map<String, @Nullable Object> kwargs(int resolution);

  /**
   * An architecture of the reference's training script.
   *
   * @param className the class of the preconditioner
   * @param architecture the architecture ({@code --arch})
   * @param changes to the architecture
   * @param settings further arguments, which take precedence
   */
  record Preset(
      String className,
      NetworkPreset architecture,
      NetworkPreset.Changes changes,
      Map<String, @Nullable Object> settings)
      implements TrainingNetwork {
    /** Copies the arguments, keeping their order. */
    public Preset {
      settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    @Override
    public Map<String, @Nullable Object> kwargs(int resolution) {
      Map<String, @Nullable Object> kwargs = architecture.kwargs(resolution, changes);
      kwargs.putAll(settings);
      return kwargs;
    }
  }

  /**
   * A network given by all of its arguments.
   *
   * @param className the class of the preconditioner
   * @param kwargs its arguments, without those determined by the data set
   */
  record Arguments(String className, Map<String, @Nullable Object> kwargs)
      implements TrainingNetwork {
    /** Copies the arguments, keeping their order. */
    public Arguments {
      kwargs = Collections.unmodifiableMap(new LinkedHashMap<>(kwargs));
    }

    @Override
    public Map<String, @Nullable Object> kwargs(int resolution) {
      return kwargs;
    }
  }

  /**
   * Returns an architecture of the reference's training script, without changes.
   *
   * @param className the class of the preconditioner, such as {@code EDMPrecond}
   */
  static Preset of(String className, NetworkPreset architecture) {
    return new Preset(className, architecture, NetworkPreset.Changes.NONE, Map.of());
  }
}
