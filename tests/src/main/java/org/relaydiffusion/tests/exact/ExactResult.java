// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.exact;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.BiConsumer;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.train.RunDirectory;
import org.relaydiffusion.diffusion.train.TickReport;
import org.relaydiffusion.diffusion.train.Trainer;
import org.relaydiffusion.diffusion.train.TrainingListener;
import org.relaydiffusion.diffusion.train.TrainingResult;
import org.relaydiffusion.diffusion.train.World;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The result of a case on this machine.
 *
 * @param losses the mean of each step's losses
 * @param hashes of each tensor of the last state, as {@link ExactCase#hashes}
 * @param state the state file
 */
public record ExactResult(List<Double> losses, SequencedMap<String, String> hashes, Path state) {
  /**
   * Trains.
   *
   * @param folder where the run writes
   */
  public static ExactResult of(ExactCase wanted, Path folder) {
    List<Double> losses = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void tick(TickReport report) {
            losses.add(report.loss());
          }
        };
    try (RunDirectory directory = RunDirectory.of(folder)) {
      TrainingResult result =
          Trainer.train(wanted.options(), World.SINGLE, directory, listener, new Cancellation());
      Path state = result.state().orElseThrow();
      SequencedMap<String, String> hashes = new LinkedHashMap<>();
      forEach(state, (name, tensor) -> hashes.put(name, sha256(tensor)));
      return new ExactResult(losses, hashes, state);
    }
  }

  /**
   * Returns every tensor of a state, by the names of {@link ExactCase#hashes}; owned by the caller
   * of the callback.
   */
  static void forEach(Path state, BiConsumer<String, Tensor> seen) {
    try (Checkpoint checkpoint = Checkpoint.open(state)) {
      for (Which which : List.of(Which.EMA, Which.NET)) {
        lend(which.key() + ".", checkpoint.network(which).tensors(), seen);
      }
      NetworkRecord net = checkpoint.network(Which.NET);
      Map<String, StoredTensor> moments = new LinkedHashMap<>();
      checkpoint
          .optimizer()
          .orElseThrow()
          .parameters()
          .forEach((number, of) -> {
            String name = net.parameterNames().get(Math.toIntExact(number));
            of.tensors()
                .forEach((kind, tensor) -> {
                  if (!kind.equals("step")) {
                    moments.put(kind + "." + name, tensor);
                  }
                });
          });
      lend("", moments, seen);
    }
  }

  private static void lend(
      String prefix, Map<String, StoredTensor> tensors, BiConsumer<String, Tensor> seen) {
    tensors.forEach((name, stored) -> {
      try (TensorScope _ = TensorScope.open()) {
        seen.accept(prefix + name, Torch.fromData(stored.data()).contiguous());
      }
    });
  }

  private static String sha256(Tensor tensor) {
    try {
      ByteBuffer bytes = tensor.memory().asByteBuffer();
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(bytes);
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns the names of the tensors that differ, or exist only in one of the two. */
  public List<String> differences(ExactCase wanted) {
    List<String> names = new ArrayList<>();
    wanted
        .hashes()
        .forEach((name, hash) -> {
          if (!hash.equals(hashes.get(name))) {
            names.add(name);
          }
        });
    hashes.keySet().stream().filter(n -> !wanted.hashes().containsKey(n)).forEach(names::add);
    return names;
  }
}
