// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.model.layer.BlockStyle;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.layer.FourierEmbedding;
import org.relaydiffusion.model.layer.GroupNorm;
import org.relaydiffusion.model.layer.Linear;
import org.relaydiffusion.model.layer.PositionalEmbedding;
import org.relaydiffusion.model.layer.Resample;
import org.relaydiffusion.model.layer.UNetBlock;
import org.relaydiffusion.model.layer.WeightInit;
import org.relaydiffusion.model.unet.OfficialUNet;
import org.relaydiffusion.model.unet.UNetConfig;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * The attributes and constructor arguments of the official code's layers, besides their tensors.
 * Only {@code forward} reads the former; the latter are only read by tools that inspect a network.
 */
final class LayerAttributes {
  private static final long MAX_POSITIONS = 10000;
  private static final String BIAS = "bias";

  private final UNetConfig config;
  private final Settings settings;

  LayerAttributes(UNetConfig config, Map<String, ? extends @Nullable Object> initKwargs) {
    this.config = config;
    this.settings = new Settings(initKwargs);
  }

  /** Completes the state of a layer and returns the name of its class. */
  String add(Map<String, @Nullable Object> state, String path, Module module) {
    String name = path.substring(path.lastIndexOf('.') + 1);
    Map<String, @Nullable Object> kwargs =
        switch (module) {
          case Linear linear -> linear(state, name, linear);
          case Conv2d conv -> convolution(state, name, conv.config());
          case GroupNorm norm -> normalisation(state, name, norm);
          case PositionalEmbedding _ -> positional(state);
          case FourierEmbedding _ -> withChannels(noiseChannels());
          case UNetBlock block -> block(state, name, block.config());
          default ->
              throw new RdmException(
                  "module %s has no counterpart in the official code".formatted(path));
        };
    state.put("_init_args", new Tuple(List.of()));
    state.put("_init_kwargs", kwargs);
    return module.getClass().getSimpleName();
  }

  private Map<String, @Nullable Object> linear(
      Map<String, @Nullable Object> state, String name, Linear linear) {
    long[] weight = shape(linear, "weight");
    boolean withBias = linear.ownState().stream().anyMatch(p -> p.name().equals(BIAS));
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    state.put("in_features", weight[1]);
    state.put("out_features", weight[0]);
    kwargs.putAll(state(state, "in_features", "out_features"));
    if (!withBias) {
      state.put(BIAS, null);
      kwargs.put(BIAS, false);
    }
    boolean dhariwal = config.architecture() == OfficialUNet.DHARIWAL;
    if (dhariwal && name.equals("map_label")) {
      kwargs.put("init_mode", "kaiming_normal");
      kwargs.put("init_weight", Math.sqrt((double) weight[1]));
    } else if (dhariwal && name.equals("map_augment")) {
      kwargs.putAll(
          InitForm.of(config.architecture(), new WeightInit(dhariwalInit().mode(), 0, 0)));
    } else {
      kwargs.putAll(InitForm.of(config.architecture(), dhariwal ? dhariwalInit() : songInit()));
    }
    return kwargs;
  }

  private static WeightInit dhariwalInit() {
    double gain = Math.sqrt(1.0 / 3);
    return new WeightInit(WeightInit.Mode.KAIMING_UNIFORM, gain, gain);
  }

  private static WeightInit songInit() {
    return new WeightInit(WeightInit.Mode.XAVIER_UNIFORM, 1, 0);
  }

  private Map<String, @Nullable Object> convolution(
      Map<String, @Nullable Object> state, String name, Conv2d.Config c) {
    state.put("in_channels", (long) c.in());
    state.put("out_channels", (long) c.out());
    state.put("up", c.resample() == Resample.UP);
    state.put("down", c.resample() == Resample.DOWN);
    state.put("fused_resample", c.fusedResample());
    if (c.kernel() == 0) {
      state.put("weight", null);
      state.put(BIAS, null);
    }
    Map<String, @Nullable Object> kwargs = state(state, "in_channels", "out_channels");
    kwargs.put("kernel", (long) c.kernel());
    boolean ofBlock = name.equals("conv0") || name.equals("skip");
    if (ofBlock) {
      kwargs.putAll(state(state, "up", "down"));
    } else if (c.resample() != Resample.NONE) {
      kwargs.put(c.resample() == Resample.UP ? "up" : "down", true);
    }
    if (ofBlock || c.resample() != Resample.NONE) {
      kwargs.put("resample_filter", longs(c.resampleFilter()));
    }
    if (c.fusedResample()) {
      kwargs.put("fused_resample", true);
    }
    if (ofBlock || c.kernel() > 0) {
      kwargs.putAll(InitForm.of(config.architecture(), c.init()));
    }
    return kwargs;
  }

  private Map<String, @Nullable Object> normalisation(
      Map<String, @Nullable Object> state, String name, GroupNorm norm) {
    long channels = shape(norm, "weight")[0];
    double eps =
        switch (config.architecture()) {
          case DHARIWAL -> 1e-5;
          case SONG -> 1e-6;
        };
    state.put("num_groups", Math.min(32, channels / 4));
    state.put("eps", eps);
    Map<String, @Nullable Object> kwargs = withChannels(channels);
    if (!name.equals("out_norm")) {
      kwargs.put("eps", eps);
    }
    return kwargs;
  }

  private Map<String, @Nullable Object> positional(Map<String, @Nullable Object> state) {
    boolean endpoint = config.architecture() == OfficialUNet.SONG;
    state.put("num_channels", noiseChannels());
    state.put("max_positions", MAX_POSITIONS);
    state.put("endpoint", endpoint);
    Map<String, @Nullable Object> kwargs = withChannels(noiseChannels());
    if (endpoint) {
      kwargs.put("endpoint", true);
    }
    return kwargs;
  }

  private long noiseChannels() {
    return (long) config.modelChannels() * config.channelMultNoise();
  }

  private Map<String, @Nullable Object> block(
      Map<String, @Nullable Object> state, String name, UNetBlock.Config c) {
    BlockStyle style = c.style();
    boolean song = config.architecture() == OfficialUNet.SONG;
    Object skipScale = song ? (Object) style.skipScale() : (Object) 1L;
    state.put("in_channels", (long) c.in());
    state.put("out_channels", (long) c.out());
    state.put("emb_channels", (long) style.embChannels());
    state.put("num_heads", (long) c.heads());
    state.put("dropout", settings.value("dropout", style.dropout()));
    state.put("skip_scale", skipScale);
    state.put("adaptive_scale", style.modulation() == BlockStyle.Modulation.SCALE_AND_SHIFT);
    state.put("eff_attn", style.attention() == BlockStyle.AttentionKernel.FUSED);
    boolean hasSkip = c.in() != c.out() || c.resample() != Resample.NONE;
    if (!hasSkip) {
      state.put("skip", null);
    }
    Map<String, @Nullable Object> kwargs = state(state, "in_channels", "out_channels");
    if (c.resample() != Resample.NONE) {
      kwargs.put(c.resample() == Resample.UP ? "up" : "down", true);
    } else if (!name.endsWith("_in1")) {
      kwargs.put("attention", c.attention());
    }
    kwargs.put("emb_channels", (long) style.embChannels());
    switch (style.heads()) {
      case BlockStyle.Heads.OfChannels each ->
          kwargs.put("channels_per_head", (long) each.channels());
      case BlockStyle.Heads.Fixed fixed -> kwargs.put("num_heads", (long) fixed.number());
    }
    kwargs.put("dropout", state.get("dropout"));
    if (song) {
      kwargs.put("skip_scale", skipScale);
      kwargs.put("eps", style.eps());
      kwargs.put("resample_filter", longs(style.resampleFilter()));
      kwargs.put("resample_proj", style.skip() == BlockStyle.Skip.ALWAYS_PROJECTED);
      kwargs.put("adaptive_scale", style.modulation() == BlockStyle.Modulation.SCALE_AND_SHIFT);
    }
    kwargs.put("init", InitForm.of(config.architecture(), style.init()));
    kwargs.put("init_zero", InitForm.of(config.architecture(), style.initZero()));
    if (song) {
      kwargs.put("init_attn", InitForm.of(config.architecture(), style.initAttention()));
    }
    kwargs.put("eff_attn", style.attention() == BlockStyle.AttentionKernel.FUSED);
    return kwargs;
  }

  private static Map<String, @Nullable Object> withChannels(long channels) {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("num_channels", channels);
    return kwargs;
  }

  /** Returns the attributes that are also arguments. */
  private static Map<String, @Nullable Object> state(
      Map<String, @Nullable Object> state, String... names) {
    Map<String, @Nullable Object> some = new LinkedHashMap<>();
    for (String name : names) {
      some.put(name, state.get(name));
    }
    return some;
  }

  private static List<Long> longs(List<Integer> values) {
    return values.stream().map(Integer::longValue).toList();
  }

  private static long[] shape(Module module, String name) {
    return module.ownState().stream()
        .filter(p -> p.name().equals(name))
        .findFirst()
        .map(Parameter::shape)
        .orElseThrow();
  }
}
