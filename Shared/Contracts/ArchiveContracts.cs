using OKLA.Shared.Messaging;

namespace OKLA.Shared.Contracts;

/// <summary>
/// Command to Tracking: moves old events from the log into files, and finishes what an earlier run left. Answers
/// <c>OKLA.Shared.EventLog.ArchiveReport</c>.
/// </summary>
/// <param name="Before">All behaviour events known before this day (UTC); null for those that the settings of retention say are past their time.</param>
/// <param name="Progress">Hears how far it is.</param>
public sealed record ArchiveEvents(DateOnly? Before = null, IProgress<WorkProgress>? Progress = null) : ICommand;
