package org.dl4jquant;

/** Stands in the root package, so that {@link ArchitectureTest} sees a class import it. */
public final class PlantedRoot {}
