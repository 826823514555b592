// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.OfficialPreconditioner;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.model.unet.NetworkConfig;
import org.relaydiffusion.model.unet.SongUNet;
import org.relaydiffusion.model.unet.UNet;
import org.relaydiffusion.torch.DType;

/** The attributes of the official code's preconditioners and U-Nets, besides their parts. */
final class NetworkAttributes {
  private static final Set<String> OF_ALL =
      Set.of("img_resolution", "img_channels", "label_dim", "use_fp16", "model_type");

  /**
   * The arguments of each preconditioner with their defaults; all others are those of the U-Net.
   */
  private static final Map<OfficialPreconditioner, List<Default>> OWN =
      Map.of(
          OfficialPreconditioner.EDM,
          List.of(
              new Default("sigma_min", 0L),
              new Default("sigma_max", Double.POSITIVE_INFINITY),
              new Default("sigma_data", 0.5)),
          OfficialPreconditioner.VP,
          List.of(
              new Default("beta_d", 19.9),
              new Default("beta_min", 0.1),
              new Default("M", 1000L),
              new Default("epsilon_t", 1e-5)),
          OfficialPreconditioner.VE,
          List.of(new Default("sigma_min", 0.02), new Default("sigma_max", 100L)),
          OfficialPreconditioner.IDDPM,
          List.of(new Default("C_1", 0.001), new Default("C_2", 0.008), new Default("M", 1000L)));

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Preconditioner network;
  private final OfficialPreconditioner kind;
  private final Settings settings;
  private final Map<String, ? extends TensorSource> tensors;

  private record Default(String name, Object value) {}

  private NetworkAttributes(
      Preconditioner network,
      OfficialPreconditioner kind,
      Map<String, ? extends @Nullable Object> initKwargs,
      Map<String, ? extends TensorSource> tensors) {
    this.network = network;
    this.kind = kind;
    this.settings = new Settings(initKwargs);
    this.tensors = tensors;
  }

  /**
   * Returns the attributes of a network of the official code.
   *
   * @throws RdmException if its preconditioner is not one of the official four
   */
  static NetworkAttributes of(
      Preconditioner network,
      Map<String, ? extends @Nullable Object> initKwargs,
      Map<String, ? extends TensorSource> tensors) {
    if (network.config().preconditioning() instanceof OfficialPreconditioner kind) {
      return new NetworkAttributes(network, kind, initKwargs, tensors);
    }
    throw new RdmException(
        "preconditioner %s has no counterpart in the official code"
            .formatted(network.config().preconditioning().className()));
  }

  /** Completes the state of a preconditioner and returns the name of its class. */
  String addPreconditioner(Map<String, @Nullable Object> state) {
    ModelConfig config = network.config();
    state.put("img_resolution", (long) config.resolution());
    state.put("img_channels", (long) config.channels());
    state.put("label_dim", (long) config.labelDim());
    state.put("use_fp16", settings.value("use_fp16", false));
    own().forEach(d -> state.put(d.name, settings.value(d.name, d.value)));
    switch (kind) {
      case EDM, VE -> {}
      case VP -> {
        state.put("sigma_min", network.sigmaMin());
        state.put("sigma_max", network.sigmaMax());
      }
      case IDDPM -> {
        List<Double> ends = iddpmEnds(config.settings().whole("M"));
        state.put("sigma_min", ends.getFirst());
        state.put("sigma_max", ends.getLast());
      }
    }
    finish(state, settings.without(Set.of()));
    return kind.className();
  }

  private List<Default> own() {
    List<Default> own = OWN.get(kind);
    return own == null ? List.of() : own;
  }

  /**
   * Returns the smallest and the largest of iDDPM's levels, from the buffer written to the file.
   */
  private List<Double> iddpmEnds(int steps) {
    TensorSource u = tensors.get("u");
    if (u == null || u.dtype() != DType.FLOAT32) {
      throw new RdmException("tensor u must be float32, as in the reference");
    }
    double[] levels = new double[steps + 1];
    int[] at = {0};
    try {
      u.forEachChunk(chunk -> {
        for (long i = 0; i < chunk.byteSize(); i += Float.BYTES) {
          levels[at[0]++] = chunk.get(FLOAT, i);
        }
      });
    } catch (IOException e) {
      throw new RdmException("tensor u cannot be read: " + e.getMessage(), e);
    }
    return List.of(levels[steps - 1], levels[0]);
  }

  /** Completes the state of a U-Net and returns the name of its class. */
  String addUNet(Map<String, @Nullable Object> state, UNet unet) {
    NetworkConfig config = network.config().network();
    state.put("label_dropout", settings.value("label_dropout", 0L));
    List<String> optional =
        unet instanceof SongUNet
            ? List.of("map_label", "map_augment")
            : List.of("map_augment", "map_label");
    for (String part : optional) {
      if (!unet.children().containsKey(part)) {
        state.put(part, null);
      }
    }
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("img_resolution", (long) config.resolution());
    kwargs.put("in_channels", (long) config.inChannels());
    kwargs.put("out_channels", (long) config.outChannels());
    kwargs.put("label_dim", (long) config.labelDim());
    Map<String, @Nullable Object> rest = settings.without(OF_ALL);
    own().forEach(d -> rest.remove(d.name));
    kwargs.putAll(rest);
    finish(state, kwargs);
    return unet.getClass().getSimpleName();
  }

  private static void finish(
      Map<String, @Nullable Object> state, Map<String, @Nullable Object> kwargs) {
    state.put("_init_args", new Tuple(List.of()));
    state.put("_init_kwargs", kwargs);
  }
}
