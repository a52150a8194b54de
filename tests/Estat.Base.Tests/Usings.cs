global using Estat.Base.Tests.Support;
global using Estat.Testing;
global using Estat.Tests.Support;
global using Xunit;
