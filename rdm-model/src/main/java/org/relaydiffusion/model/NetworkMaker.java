// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.relaydiffusion.model.layer.Execution;
import org.relaydiffusion.model.layer.Layer;
import org.relaydiffusion.torch.CudaGraph;
import org.relaydiffusion.torch.CudaStream;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.DeviceGuard;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;

/** Makes networks: gives them values, puts these where they compute, and tells them how. */
final class NetworkMaker {
  private NetworkMaker() {}

  /** See {@link Preconditioner#load}. */
  static Preconditioner loaded(
      ModelConfig config, Map<String, TensorData> state, LoadOptions options) {
    return made(
        config,
        options,
        network -> {
          StateLoader.checkData(network, state);
          network.loaded(options, Purpose.EVALUATION);
          fill(network, state);
        });
  }

  /** See {@link Preconditioner#initialized}. */
  static Preconditioner initialized(ModelConfig config, Generator generator, LoadOptions options) {
    return made(
        config,
        options,
        network -> {
          network.initialize(generator);
          prepare(network, options, Purpose.EVALUATION);
        });
  }

  /**
   * See {@link Preconditioner#trainable(ModelConfig, Generator, LoadOptions)}.
   *
   * @param values gives the network values
   */
  static Preconditioner trainable(
      ModelConfig config, LoadOptions options, Consumer<Preconditioner> values) {
    return made(
        config,
        options,
        network -> {
          try (GradMode _ = GradMode.noGrad()) {
            values.accept(network);
            prepare(network, options, Purpose.TRAINING);
            network.parameters().forEach(p -> p.value().requiresGrad(true));
            network.train();
          }
        });
  }

  /** See {@link Preconditioner#copyForEvaluation}. */
  static Preconditioner copied(Preconditioner original) {
    LoadOptions options = original.options();
    if (original.purpose() != Purpose.TRAINING) {
      throw new ModelException("only a network that is made to be trained can be copied");
    }
    return made(
        original.config(),
        options,
        copy -> {
          try (GradMode _ = GradMode.noGrad();
              TensorScope _ = TensorScope.open()) {
            Map<String, Parameter> values = original.state();
            copy.state()
                .forEach((name, p) ->
                    p.set(Shapes.copy(Objects.requireNonNull(values.get(name)).value())));
            prepare(copy, options, Purpose.TRAINING);
          }
        });
  }

  private static Preconditioner made(
      ModelConfig config, LoadOptions options, Consumer<Preconditioner> values) {
    Torch.requireUsable(options.device());
    Preconditioner network = Preconditioner.of(config);
    try (DeviceGuard _ = DeviceGuard.on(options.device())) {
      values.accept(network);
      if (CudaGraph.isAvailable(options.device())) {
        // Threads may use it on streams of their own.
        CudaStream.current(options.device()).synchronize();
      }
      return network;
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  /** Module by module, so that what is packed elsewhere need not stay in memory here as well. */
  private static void fill(Preconditioner network, Map<String, TensorData> state) {
    boolean elsewhere = network.execution().device().type() != Device.Type.CPU;
    if (elsewhere || network.execution() instanceof Execution.Packed) {
      // Checking a file's checksums reads all of it; a second copy is about to grow beside that.
      state.values().forEach(TensorData::unload);
    }
    network.walk((path, module) -> {
      String prefix = path.isEmpty() ? "" : path + ".";
      for (Parameter p : module.ownState()) {
        StateLoader.set(
            p, StateLoader.data(state, prefix + p.name()), network.execution().device());
      }
      Layer.prepare(module, network.execution());
      for (Parameter p : module.ownState()) {
        if (elsewhere || !p.isSet()) {
          StateLoader.data(state, prefix + p.name()).unload();
        }
      }
    });
    Layer.completeAll(network);
  }

  /** Puts values that are set already where they compute, and tells the layers how. */
  static void prepare(Preconditioner network, LoadOptions options, Purpose purpose) {
    network.loaded(options, purpose);
    Execution execution = network.execution();
    if (execution.device().type() != Device.Type.CPU) {
      network.state().values().forEach(p -> p.set(p.value().to(execution.device())));
    }
    Layer.prepareAll(network, execution);
  }
}
