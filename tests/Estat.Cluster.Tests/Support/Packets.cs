// Packets as a gateway makes them.
using System.Text;
using Estat.Grains.Batching;

namespace Estat.Cluster.Tests.Support;

/// <summary>Encodes bodies that need no escaping.</summary>
internal static class Packets
{
    internal static byte[] Lines(params IEnumerable<string> bodies) =>
        Encoding.UTF8.GetBytes(
            string.Concat(bodies.Select(body => $"{{\"ts\":1700000000,\"ip\":\"192.0.2.1\",\"user_agent\":\"\",\"body\":\"{body}\"}}\n")));

    internal static WirePacket Of(string instance, string level, params string[] bodies) =>
        new(Guid.NewGuid(), instance, level, bodies.Length, Lines(bodies), Traces: null);
}
