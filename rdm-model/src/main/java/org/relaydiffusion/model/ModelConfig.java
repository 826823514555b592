// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.Map;
import org.relaydiffusion.model.unet.Architecture;
import org.relaydiffusion.model.unet.NetworkConfig;

/**
 * What a preconditioned network is, as the reference's constructors name it.
 *
 * @param preconditioning how F becomes D
 * @param resolution width and height of the images
 * @param channels of the images
 * @param labelDim classes; 0 for an unconditional network
 * @param settings the preconditioner's own
 * @param network the raw network F
 */
public record ModelConfig(
    PreconditionerKind preconditioning,
    int resolution,
    int channels,
    int labelDim,
    Settings settings,
    NetworkConfig network) {
  private static final int MAX_RESOLUTION = 4096;
  private static final int MAX_CHANNELS = 1 << 16;

  /**
   * Reads a reference constructor's keyword arguments.
   *
   * @param className e.g. {@code EDMPrecond}
   * @param initKwargs numbers, booleans, strings and lists by name
   * @throws ModelException naming the setting that is unknown, mistyped or out of range
   */
  public static ModelConfig of(String className, Map<String, ?> initKwargs) {
    return of(className, initKwargs, NetworkCatalog.installed());
  }

  /** As {@link #of(String, Map)}, with the preconditioners and architectures of a catalog. */
  public static ModelConfig of(
      String className, Map<String, ?> initKwargs, NetworkCatalog catalog) {
    PreconditionerKind kind = catalog.preconditioner(className);
    Kwargs k = new Kwargs(className, initKwargs);
    int resolution = k.integer("img_resolution", null, 1, MAX_RESOLUTION);
    int channels = k.integer("img_channels", null, 1, MAX_CHANNELS);
    int labelDim = k.integer("label_dim", 0, 0, 1 << 20);
    // Half precision is chosen at load time; the file's wish says nothing about its weights.
    k.ignore("use_fp16");
    Settings settings = Settings.read(k, kind.settings());
    Architecture architecture = catalog.architecture(k, kind);
    NetworkConfig network =
        new NetworkConfig(
            architecture,
            resolution,
            channels,
            kind.outChannels(channels),
            labelDim,
            k.integer("augment_dim", 0, 0, 1 << 12),
            Settings.read(k, architecture.settings()));
    k.refuseRest();
    kind.check(settings);
    architecture.check(network);
    return new ModelConfig(kind, resolution, channels, labelDim, settings, network);
  }
}
