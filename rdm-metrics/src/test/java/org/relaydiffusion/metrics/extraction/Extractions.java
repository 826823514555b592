// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Leftovers;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Network;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Share;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/**
 * Extractions with small chunks, by threads that stand for processes: all that processes share is
 * the file system.
 *
 * @param data the pictures
 * @param target the file
 * @param content what it holds
 * @param network the network's name
 * @param leftovers what becomes of an earlier run's parts
 * @param extractor the network
 */
record Extractions(
    Path data,
    Path target,
    Content content,
    String network,
    Leftovers leftovers,
    FeatureExtractor extractor) {
  static final int CHUNK = 16;
  private static final int BATCH = 5;

  static Extractions of(Path data, Path target, Content content, FeatureExtractor extractor) {
    return new Extractions(data, target, content, "cafe", Leftovers.USE, extractor);
  }

  Extractions to(Path other) {
    return new Extractions(data, other, content, network, leftovers, extractor);
  }

  Extractions from(Path other) {
    return new Extractions(other, target, content, network, leftovers, extractor);
  }

  Extractions with(FeatureExtractor other) {
    return new Extractions(data, target, content, network, leftovers, other);
  }

  Extractions by(String other) {
    return new Extractions(data, target, content, other, leftovers, extractor);
  }

  Extractions fresh() {
    return new Extractions(data, target, content, network, Leftovers.DISCARD, extractor);
  }

  /** Where the parts lie. */
  Path parts() {
    return PartsFolder.besides(target);
  }

  ExtractionOptions options(Share share) {
    return new ExtractionOptions(
        data,
        Set.of(),
        OptionalInt.empty(),
        0,
        target,
        content,
        leftovers,
        BATCH,
        1,
        Device.CPU,
        new Network(network, Numerics.EXACT),
        share);
  }

  private PartFormat format() {
    return content == Content.ACTIVATIONS ? new RowParts(CHUNK) : new MomentParts(CHUNK);
  }

  ExtractionResult run() {
    return run(Share.ALONE, ExtractionListener.NONE, new Cancellation());
  }

  ExtractionResult run(Share share, ExtractionListener listener, Cancellation cancellation) {
    return new ActivationsExtraction(options(share), format())
        .run(extractor, listener, cancellation);
  }

  /** Runs all processes to their end. The first one's result comes first. */
  List<ExtractionResult> run(int processes) throws InterruptedException {
    try (ExecutorService threads = Executors.newFixedThreadPool(processes)) {
      List<Future<ExtractionResult>> futures = new ArrayList<>();
      for (int rank = 0; rank < processes; rank++) {
        Share share = new Share(rank, processes, Duration.ofMinutes(1));
        futures.add(threads.submit(() -> run(share, ExtractionListener.NONE, new Cancellation())));
      }
      List<ExtractionResult> results = new ArrayList<>();
      for (Future<ExtractionResult> future : futures) {
        results.add(future.get());
      }
      return results;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Runs until {@code parts} parts are saved and some images more are extracted, then stops. */
  void runAndStop(Share share, int parts) {
    Cancellation cancellation = new Cancellation();
    ExtractionListener listener =
        new ExtractionListener() {
          private long saved;

          @Override
          public void saved(long images) {
            saved = images;
          }

          @Override
          public void extracted(long done, long total) {
            if (saved >= (long) parts * CHUNK && done > saved) {
              cancellation.cancel();
            }
          }
        };
    try {
      run(share, listener, cancellation);
    } catch (CancelledException e) {
      return;
    }
    throw new IllegalStateException("it should have been stopped");
  }
}
