// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Searches a value, including shared and nested parts, for unknown names. */
public final class InertSearch {
  private final PickleBudget budget;
  private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Deque<Object> open = new ArrayDeque<>();

  private InertSearch(PickleBudget budget) {
    this.budget = budget;
  }

  /**
   * Returns the first such name in a value or anything below it.
   *
   * @param value to search
   * @param budget each visited part is one step
   * @throws BadPickleException if the budget is exceeded
   */
  public static Optional<GlobalName> find(Object value, PickleBudget budget) {
    InertSearch search = new InertSearch(budget);
    search.add(value);
    while (!search.open.isEmpty()) {
      switch (search.open.pop()) {
        case InertName inert -> {
          return Optional.of(inert.name());
        }
        case InertObject object -> {
          return Optional.of(object.type());
        }
        // Keys, and the items of sets, are simple values: see Values.key.
        case Map<?, ?> map -> search.addAll(map.values());
        case Collection<?> items -> search.addAll(items);
        case Tuple tuple -> search.addAll(tuple.items());
        case PersistentObject object -> search.add(object.state());
        case Instance object -> search.add(object.state());
        default -> {}
      }
    }
    return Optional.empty();
  }

  private void addAll(Collection<?> values) {
    budget.steps(values.size());
    values.forEach(this::add);
  }

  private void add(Object value) {
    boolean leaf =
        value instanceof String
            || value instanceof Number
            || value instanceof Boolean
            || value instanceof PyNone;
    if (!leaf && seen.add(value)) {
      open.push(value);
    }
  }
}
