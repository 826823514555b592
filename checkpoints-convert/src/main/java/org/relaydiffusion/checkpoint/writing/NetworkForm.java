// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.archive.TorchForms;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleForm;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.OfficialPreconditioner;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.TensorShape;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.model.unet.OfficialUNet;
import org.relaydiffusion.model.unet.UNet;
import org.relaydiffusion.model.unet.UNetConfig;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A network as a tree of the official code's objects: the modules of {@code rdm-model}'s
 * definition, with the attributes of their Python counterparts, if the official code has the
 * network.
 */
public final class NetworkForm {
  private static final String SOURCE_MODULE = "training.networks";
  private static final GlobalName MODULE_DICT =
      new GlobalName("torch.nn.modules.container", "ModuleDict");
  private static final String FILTER = "resample_filter";

  private final Purpose purpose;
  private final Map<String, ? extends TensorSource> tensors;
  private final Attributes attributes;

  /** The purpose of a network in a file. */
  public enum Purpose {
    /** Inference: evaluation mode, without gradients. */
    EVALUATION,
    /** Further training: training mode, with gradients. */
    TRAINING
  }

  private NetworkForm(
      Purpose purpose, Map<String, ? extends TensorSource> tensors, Attributes attributes) {
    this.purpose = purpose;
    this.tensors = tensors;
    this.attributes = attributes;
  }

  /** Returns whether the official code has the preconditioner and the U-Net of a network. */
  public static boolean isOfficial(ModelConfig config) {
    return config.preconditioning() instanceof OfficialPreconditioner
        && config.network().architecture() instanceof OfficialUNet;
  }

  /**
   * Returns the pickled form of a network of the official code.
   *
   * @param className the class of the preconditioner, such as {@code EDMPrecond}
   * @param initKwargs its constructor arguments, as plain values
   * @param tensors every parameter and buffer by its dotted name
   * @param purpose of the network
   * @throws RdmException if the settings do not describe a network, the official code does not have
   *     it, or the tensors do not match
   */
  public static PickleForm of(
      String className,
      Map<String, ? extends @Nullable Object> initKwargs,
      Map<String, ? extends TensorSource> tensors,
      Purpose purpose) {
    ModelConfig config = ModelConfig.of(className, initKwargs);
    return form(
        config,
        tensors,
        purpose,
        network -> {
          LayerAttributes layers = new LayerAttributes(UNetConfig.of(config.network()), initKwargs);
          NetworkAttributes networks = NetworkAttributes.of(network, initKwargs, tensors);
          return (state, path, module) ->
              switch (module) {
                case Preconditioner _ -> networks.addPreconditioner(state);
                case UNet unet -> networks.addUNet(state, unet);
                default -> layers.add(state, path, module);
              };
        });
  }

  /**
   * Returns the pickled form of any network. One that the official code does not have is in the
   * same form, and can be read by this project only. The parameters are those of {@link #of}.
   *
   * @throws RdmException if the settings do not describe a network, or the tensors do not match
   */
  public static PickleForm ofAny(
      String className,
      Map<String, ? extends @Nullable Object> initKwargs,
      Map<String, ? extends TensorSource> tensors,
      Purpose purpose) {
    ModelConfig config = ModelConfig.of(className, initKwargs);
    return isOfficial(config)
        ? of(className, initKwargs, tensors, purpose)
        : form(
            config,
            tensors,
            purpose,
            _ -> new ForeignAttributes(className, new LinkedHashMap<>(initKwargs)));
  }

  private static PickleForm form(
      ModelConfig config,
      Map<String, ? extends TensorSource> tensors,
      Purpose purpose,
      Function<Preconditioner, Attributes> attributes) {
    Map<String, TensorShape> shapes = new LinkedHashMap<>();
    tensors.forEach((name, t) -> shapes.put(name, TensorShape.of(t.dtype(), t.shape())));
    Preconditioner.check(config, shapes, List.of());
    try (Preconditioner network = Preconditioner.of(config)) {
      return new NetworkForm(purpose, tensors, attributes.apply(network)).object("", network);
    }
  }

  private PickleForm object(String path, Module module) {
    Map<String, @Nullable Object> state =
        ModuleForm.state(
            purpose, parameters(path, module), buffers(path, module), modules(path, module));
    return PersistentForm.of(SOURCE_MODULE, attributes.add(state, path, module), state);
  }

  private Map<String, PickleForm> parameters(String path, Module module) {
    Map<String, PickleForm> parameters = new LinkedHashMap<>();
    for (Parameter p : module.ownState()) {
      if (p.kind() == Parameter.Kind.PARAMETER) {
        TensorSource tensor = tensor(join(path, p.name()));
        parameters.put(p.name(), TorchForms.parameter(tensor, ModuleForm.gradient(purpose)));
      }
    }
    return parameters;
  }

  private Map<String, @Nullable Object> buffers(String path, Module module) {
    Map<String, @Nullable Object> buffers = new LinkedHashMap<>();
    if (module instanceof Conv2d) {
      buffers.put(FILTER, null);
    }
    for (Parameter p : module.ownState()) {
      if (p.kind() == Parameter.Kind.BUFFER) {
        buffers.put(p.name(), tensor(join(path, p.name())));
      }
    }
    return buffers;
  }

  /**
   * Returns the children by name; those with a dot in their names are in a dictionary of modules.
   */
  private Map<String, PickleForm> modules(String path, Module module) {
    Map<String, Map<String, PickleForm>> dictionaries = new LinkedHashMap<>();
    Map<String, PickleForm> modules = new LinkedHashMap<>();
    module
        .children()
        .forEach((name, child) -> {
          PickleForm object = object(join(path, name), child);
          int dot = name.indexOf('.');
          if (dot < 0) {
            modules.put(name, object);
            return;
          }
          String dictionary = name.substring(0, dot);
          Map<String, PickleForm> entries =
              dictionaries.computeIfAbsent(dictionary, _ -> new LinkedHashMap<>());
          if (entries.isEmpty()) {
            modules.put(
                dictionary,
                new PickleForm.NewObject(
                    MODULE_DICT, ModuleForm.state(purpose, Map.of(), Map.of(), entries)));
          }
          entries.put(name.substring(dot + 1), object);
        });
    return modules;
  }

  private TensorSource tensor(String name) {
    TensorSource tensor = tensors.get(name);
    if (tensor == null) {
      throw new RdmException("tensor %s is missing".formatted(name));
    }
    return tensor;
  }

  private static String join(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }
}
