// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.sampler.Preview;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;

/** How a pipeline behaves, on the networks of samplers/relay_cond_cfg. */
class RelayPipelineTest {
  private static final RelayFixture FIXTURE = RelayFixture.of("cond_cfg");
  private static final Preview NO_PREVIEW =
      () -> {
        throw new UnsupportedOperationException();
      };

  private static Map<Long, Pixels> pictures(RelayPipeline pipeline, SampleRequest request) {
    Map<Long, Pixels> pictures = new HashMap<>();
    try (Samples samples = pipeline.sample(request)) {
      samples.forEach(s -> pictures.put(s.seed(), s.pixels()));
    }
    return pictures;
  }

  private static Pixels of(Map<Long, Pixels> pictures, long seed) {
    return Objects.requireNonNull(pictures.get(seed));
  }

  @Test
  void anImageDoesNotDependOnItsBatchOrRank() {
    for (Numerics numerics : Numerics.values()) {
      try (RelayPipeline pipeline = FIXTURE.load(numerics)) {
        Map<Long, Pixels> expected = pictures(pipeline, FIXTURE.request().batch(6).build());
        Differences differences = new Differences();
        Map<Long, Pixels> alone = pictures(pipeline, FIXTURE.request().batch(1).build());
        alone.forEach((seed, pixels) -> differences.add(pixels, of(expected, seed)));
        Map<Long, Pixels> shared = new HashMap<>();
        for (int rank = 0; rank < 2; rank++) {
          shared.putAll(pictures(pipeline, FIXTURE.request().batch(2).rank(rank, 2).build()));
        }
        assertThat(shared).hasSameSizeAs(expected);
        shared.forEach((seed, pixels) -> differences.add(pixels, of(expected, seed)));
        // The noise is the same; a kernel for another batch size may round otherwise.
        assertThat(differences.largest()).as("%s", numerics).isLessThanOrEqualTo(1);
        assertThat(differences.partAbove(0)).as("%s", numerics).isLessThanOrEqualTo(0.005);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuda:a100", "cuda:2"})
  void anImageOfCudasNoiseDoesNotDependOnItsBatchRankOrThreads(String noise) {
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.EXACT)) {
      SampleRequest.Builder request = FIXTURE.request().seeds(0, 1, 2).noise(Noise.parse(noise));
      Map<Long, Pixels> alone = pictures(pipeline, request.batch(1).build());
      assertThat(alone).isNotEqualTo(pictures(pipeline, request.noise(Noise.CPU).build()));
      request.noise(Noise.parse(noise));
      Map<Long, Pixels> shared = new HashMap<>();
      for (int rank = 0; rank < 3; rank++) {
        shared.putAll(pictures(pipeline, request.rank(rank, 3).build()));
      }
      // Equal batches, equal kernels: equal to the bit.
      assertThat(shared).isEqualTo(alone);
      Differences differences = new Differences();
      int threads = NativeThreads.threads();
      try {
        for (int other : new int[] {1, 3}) {
          NativeThreads.setThreads(other);
          Map<Long, Pixels> large = pictures(pipeline, request.rank(0, 1).batch(3).build());
          assertThat(large).hasSameSizeAs(alone);
          large.forEach((seed, pixels) -> differences.add(pixels, of(alone, seed)));
        }
      } finally {
        NativeThreads.setThreads(threads);
      }
      // The noise is the same; a kernel for another batch size may round otherwise.
      assertThat(differences.largest()).isLessThanOrEqualTo(1);
      assertThat(differences.partAbove(0)).isLessThanOrEqualTo(0.005);
    }
  }

  @Test
  void threadsMaySampleOnOnePipelineAtOnce() throws Exception {
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.FAST);
        ExecutorService threads = Executors.newFixedThreadPool(3)) {
      Map<Long, Pixels> expected = pictures(pipeline, FIXTURE.request().build());
      Callable<Map<Long, Pixels>> task = () -> pictures(pipeline, FIXTURE.request().build());
      for (Future<Map<Long, Pixels>> result : threads.invokeAll(List.of(task, task, task))) {
        // Equal batches, equal kernels: equal to the bit.
        assertThat(result.get()).isEqualTo(expected);
      }
    }
  }

  @Test
  void eachStageRunsAlone() {
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.EXACT)) {
      SampleRequest.Builder request = FIXTURE.request().seeds(0, 1);
      Map<Long, Pixels> first = pictures(pipeline, request.range(StageRange.only(0)).build());
      assertThat(of(first, 1).width()).isEqualTo(8);
      SampleRequest.Builder second =
          request.range(StageRange.only(1)).inputs(seed -> of(first, seed));
      Map<Long, Pixels> large = pictures(pipeline, second.build());
      assertThat(of(large, 1).width()).isEqualTo(32);
      // Its generators start at the seed, so it is repeatable but not what the whole relay gives.
      assertThat(pictures(pipeline, second.build())).isEqualTo(large);
      assertThat(of(large, 1)).isNotEqualTo(FIXTURE.picture(1));
    }
  }

  @Test
  void oneCheckpointIsEnoughForItsStage() {
    try (RelayPipeline pipeline =
        RelayPipeline.builder().stage(FIXTURE.files().file("first.pkl")).load()) {
      assertThat(pipeline.network(1)).isEmpty();
      assertThat(pipeline.network(0).orElseThrow().resolution()).isEqualTo(8);
      assertThat(pictures(pipeline, FIXTURE.request().range(StageRange.only(0)).build()))
          .hasSize(6);
    }
  }

  @Test
  void progressNamesEveryStepOfEveryBatch() {
    List<Progress> heard = new ArrayList<>();
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.FAST);
        Samples samples = pipeline.sample(FIXTURE.request().build(), heard::add)) {
      assertThat(samples.size()).isEqualTo(6);
      assertThat(heard).as("nothing is made before it is asked for").isEmpty();
      Iterator<Sample> walk = samples.iterator();
      walk.next();
      assertThat(heard).allMatch(p -> p.batch() == 0 && p.imagesDone() == 0);
      while (walk.hasNext()) {
        walk.next();
      }
    }
    int relaySteps = heard.getLast().steps();
    assertThat(heard).hasSize(2 * (6 + relaySteps));
    assertThat(heard.getFirst())
        .usingRecursiveComparison()
        .ignoringFields("preview")
        .isEqualTo(new Progress(0, 1, 6, 0, 2, 0, 6, NO_PREVIEW));
    assertThat(heard.getLast())
        .usingRecursiveComparison()
        .ignoringFields("preview")
        .isEqualTo(new Progress(1, relaySteps, relaySteps, 1, 2, 3, 6, NO_PREVIEW));
  }

  @Test
  void aCancelledRunEndsAtItsNextStepAndLeavesNothingOpen() {
    Cancellation cancellation = new Cancellation();
    long before = Tensor.liveCount();
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.FAST)) {
      long loaded = Tensor.liveCount();
      List<Progress> heard = new ArrayList<>();
      Samples samples =
          pipeline.sample(
              FIXTURE.request().cancellation(cancellation).build(),
              p -> {
                heard.add(p);
                cancellation.cancel();
              });
      assertThatThrownBy(() -> samples.iterator().hasNext())
          .isInstanceOf(CancelledException.class)
          .hasMessage("the run was cancelled");
      assertThat(heard).hasSize(1);
      assertThat(Tensor.liveCount()).isEqualTo(loaded);
      assertThat(GradMode.isEnabled()).isTrue();
      samples.close();
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void anInterruptedThreadEndsAtItsNextStepAndStaysInterrupted() {
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.FAST)) {
      long loaded = Tensor.liveCount();
      List<Progress> heard = new ArrayList<>();
      try (Samples samples =
          pipeline.sample(
              FIXTURE.request().build(),
              p -> {
                heard.add(p);
                Thread.currentThread().interrupt();
              })) {
        assertThatThrownBy(() -> samples.iterator().hasNext())
            .isInstanceOf(CancelledException.class);
      }
      assertThat(Thread.interrupted()).isTrue();
      assertThat(heard).hasSize(1);
      assertThat(Tensor.liveCount()).isEqualTo(loaded);
    }
  }

  @Test
  void samplesAreWalkedOnceAndStopWhenClosed() {
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.FAST)) {
      Samples samples = pipeline.sample(FIXTURE.request().batch(1).build());
      Iterator<Sample> walk = samples.iterator();
      assertThat(walk.hasNext()).isTrue();
      assertThatThrownBy(samples::iterator).isInstanceOf(IllegalStateException.class);
      samples.close();
      assertThat(walk.hasNext()).isFalse();
    }
  }

  @Test
  void closingWaitsForTheBatchInWorkAndRefusesTheNext() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    RelayPipeline pipeline = FIXTURE.load(Numerics.FAST);
    Samples samples =
        pipeline.sample(
            FIXTURE.request().batch(3).build(),
            _ -> {
              started.countDown();
              await(goOn);
            });
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Future<Integer> walked =
          threads.submit(() -> {
            int count = 0;
            Iterator<Sample> walk = samples.iterator();
            while (count < 3) {
              walk.next();
              count++;
            }
            assertThatThrownBy(walk::hasNext)
                .isInstanceOf(RdmException.class)
                .hasMessage("this pipeline is closed");
            return count;
          });
      await(started);
      Future<?> closed = threads.submit(pipeline::close);
      assertThatThrownBy(() -> closed.get(200, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      goOn.countDown();
      closed.get();
      assertThat(walked.get()).isEqualTo(3);
    }
    assertThatThrownBy(() -> pipeline.sample(FIXTURE.request().build()))
        .isInstanceOf(RdmException.class)
        .hasMessage("this pipeline is closed");
  }

  @Test
  @SuppressWarnings("try") // Closed by hand, which is the point.
  void aPipelineCannotBeClosedFromInsideItsOwnBatch() {
    try (RelayPipeline pipeline = FIXTURE.load(Numerics.FAST)) {
      Samples samples = pipeline.sample(FIXTURE.request().build(), _ -> pipeline.close());
      assertThatThrownBy(() -> samples.iterator().hasNext())
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("a pipeline cannot be closed from a listener of one of its batches");
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
