// The one way of messages into the log.
using System.Security.Cryptography;
using System.Text;
using Estat.Base.Access;
using Estat.Http.Access;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;

namespace Estat.Topics.Intake;

/// <summary>
/// The rules for a request that produces, in the order in which a door calls them: <see cref="Enter"/>, the door reads the body,
/// <see cref="TakeAsync"/>. A step that returns a <see cref="Refusal"/> is the last one. Any thread.
/// </summary>
/// <param name="gate">Who, may they.</param>
/// <param name="log">Who keeps messages.</param>
/// <param name="options">The bounds.</param>
/// <param name="refusals">Why not.</param>
/// <param name="isDraining">Whether the node takes nothing more.</param>
internal sealed class ProduceIntake(RequestGate gate, ITopicLog log, TopicsOptions options, ProduceRefusals refusals, Func<bool> isDraining)
{
    /// <summary>The answers to what a door finds wrong itself.</summary>
    internal ProduceRefusals Refusals => refusals;

    /// <summary>All that can be decided before the body is read.</summary>
    /// <param name="request">The request.</param>
    /// <param name="topic">Where its messages shall go.</param>
    /// <param name="entry">What is known of it.</param>
    /// <returns>401, 403, 429, 503, 400, 404, 413 or 415, in this order; null when the body may be read.</returns>
    internal Refusal? Enter<TRequest>(TRequest request, string topic, out ProduceEntry entry)
        where TRequest : struct, IRequestView
    {
        Refusal? refusal = gate.RefuseUnread(request, out Sender? sender, out PageAnswer page);
        Coding coding = ContentCoding.Of(request.ContentEncoding);
        ReadOnlySpan<char> key = request.IdempotencyKey;
        entry = new ProduceEntry(topic, sender, page, coding, key.IsEmpty ? null : key.ToString());
        return refusal ?? (
            sender?.MayUse(topic) == false ? refusals.NotThisTopic
            : isDraining() && key.IsEmpty ? refusals.Draining // what came before with its key is answered all the same
            : !TopicName.IsValid(topic) ? refusals.BadName
            : !log.HasTopic(topic) && !options.AutoCreate ? refusals.NoTopic
            : request.ContentLength > options.MaxBodySize ? refusals.TooLarge
            : coding == Coding.Unknown ? refusals.Encoding
            : key.Length > ProduceRefusals.MostIdempotencyKey ? refusals.BadKey
            : !key.IsEmpty && !log.TakesIdempotencyKeys ? refusals.NoIdempotency
            : null);
    }

    /// <summary>Brings messages into the log.</summary>
    /// <param name="request">The request.</param>
    /// <param name="entry">What <see cref="Enter"/> found.</param>
    /// <param name="body">The body that they are slices of; it must not change until this has ended.</param>
    /// <param name="messages">At least one.</param>
    /// <returns>What became of them, or why they were refused; a <see cref="ProduceOutcome.Perhaps"/> has both.</returns>
    internal async ValueTask<(Refusal? Refusal, Produced? Produced)> TakeAsync<TRequest>(
        TRequest request, ProduceEntry entry, ReadOnlyMemory<byte> body, IReadOnlyList<NewMessage> messages)
        where TRequest : struct, IRequestView
    {
        if (gate.RefuseOver(request, entry.Sender, messages.Count, out Charge charge) is { } refusal)
        {
            return (refusal, null);
        }

        bool isTaken = false;
        try
        {
            if (!log.HasTopic(entry.Topic))
            {
                if (isDraining())
                {
                    return (refusals.Draining, null);
                }

                await log.CreateTopicAsync(entry.Topic, null, CancellationToken.None).ConfigureAwait(false);
            }

            // Not ended by a client that leaves: what was begun is brought to its end.
            Produced produced = await log.ProduceAsync(
                new Production(
                    entry.Topic, messages, entry.IdempotencyKey is { } key ? Identify(entry, key, body) : null, OnlyRepeats: isDraining()),
                CancellationToken.None)
                .ConfigureAwait(false);
            isTaken = produced.Outcome == ProduceOutcome.Taken;
            return isTaken || produced.Outcome == ProduceOutcome.Repeated ? (null, produced) : (refusals.Of(produced), produced);
        }
        catch (TopicLogException error) // the topic could not be made
        {
            return (error.IsBound ? refusals.NotMade(error.Message) : refusals.Of(new Produced(ProduceOutcome.Failed, [])), null);
        }
        finally
        {
            charge.OnAnswered(isTaken);
        }
    }

    private static Idempotency Identify(ProduceEntry entry, string key, ReadOnlyMemory<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(entry.Topic + "\n"));
        hash.AppendData(body.Span);
        return new Idempotency(entry.Sender?.Name ?? "", key, hash.GetHashAndReset());
    }
}

/// <summary>What is known of a request before its body is read.</summary>
/// <param name="Topic">Where its messages shall go.</param>
/// <param name="Sender">Whose key it showed; null without.</param>
/// <param name="Page">Who may read the answer.</param>
/// <param name="Coding">How the body is coded.</param>
/// <param name="IdempotencyKey">What tells its repetition; null without.</param>
internal readonly record struct ProduceEntry(string Topic, Sender? Sender, PageAnswer Page, Coding Coding, string? IdempotencyKey);
